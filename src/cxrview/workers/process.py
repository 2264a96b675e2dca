"""Start and talk to a worker process that may crash, hang or exhaust its memory.

The parent starts a clean Python process, sends it jobs and waits for each answer until a deadline.
If the process fails, only its current job is lost: the parent kills it and starts another. Answers
are never unpickled, since a worker has read files of unknown origin.
"""

import os
import select
import signal
import subprocess
import sys
import time
import warnings
from contextlib import suppress
from typing import IO

from cxrview.workers.core_files import prevent_core_files
from cxrview.workers.cores import ONE_THREAD

READY = b"ready\n"
START_SECONDS = 60.0
"""Time for a worker to load its libraries, which may be slow on a network disk."""
END_SECONDS = 5.0
"""Time after which a killed worker is abandoned: the system cannot end a process that waits for a
dead disk."""
_EXIT_SECONDS = 0.2
"""Time to wait for the exit code after a crash, when the pipe is already closed."""
PIPE_BYTES = 1 << 18
"""Capacity of the pipe to the parent, so that an answer fits in and a worker need not wait until it
is read."""


class WorkerProcess:
    """The parent's side: one process and its pipes.

    Args:
        module: run as `python -m module`. It calls `connect_to_parent`, and writes `READY` once
            its libraries are loaded.
        settings: sent to the process at its start.
    """

    def __init__(self, module: str, settings: bytes) -> None:
        self._process = subprocess.Popen(
            # -P: nothing is imported from the working directory.
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C on the terminal is handled by the parent
            env={**os.environ, **ONE_THREAD},
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._inbox, self._outbox = self._process.stdin, self._process.stdout
        self._errors = self._process.stderr
        self._is_ready = False
        with suppress(BrokenPipeError):  # `is_ready` reports it
            self.send(settings)

    def is_ready(self) -> bool:
        """Wait until the process has loaded its libraries; False if it died or took too long."""
        if not self._is_ready:
            try:
                self._is_ready = self.by_deadline(START_SECONDS).receive(len(READY)) == READY
            except TimeoutError:
                return False
        return self._is_ready

    def is_alive(self) -> bool:
        """Whether the process is running."""
        return self._process.poll() is None

    def send(self, data: bytes) -> None:
        """Write to the process.

        Raises:
            BrokenPipeError: the process has died.
        """
        sent = 0
        while sent < len(data):
            sent += self._inbox.write(data[sent:]) or 0

    def by_deadline(self, seconds: float) -> "DeadlineReader":
        """Return a reader of its answers, with a deadline from now."""
        return DeadlineReader(self._outbox, seconds)

    def last_words(self) -> str:
        """Kill the process; return the last line that it wrote to stderr before it was ready."""
        self.kill()
        lines = self._errors.read().decode(errors="replace").splitlines()
        return lines[-1] if lines else ""

    def kill(self) -> None:
        """Send SIGKILL to the process; safe from any thread."""
        self._process.kill()

    def end(self) -> int:
        """End the process, and return its exit code, negative for the signal that killed it."""
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        for pipe in (self._inbox, self._outbox, self._errors):
            pipe.close()
        return code


class DeadlineReader:
    """Reads a pipe until a deadline.

    Args:
        pipe: unbuffered.
        seconds: from now to the deadline.
    """

    def __init__(self, pipe: IO[bytes], seconds: float) -> None:
        self._pipe = pipe
        self._end = time.monotonic() + seconds
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self._end - time.monotonic())

    def receive(self, length: int) -> bytes:
        """Receive `length` bytes, fewer only at the end of the pipe.

        Raises:
            TimeoutError: the deadline has passed.
        """
        data = bytearray()
        while len(data) < length:
            if not self._poll.poll(1000 * self.left()):
                raise TimeoutError
            part = self._pipe.read(length - len(data))
            if not part:
                break
            data += part
        return bytes(data)


def connect_to_parent() -> tuple[IO[bytes], IO[bytes]]:
    """The worker's side: keep its pipes for jobs and answers, and silence all other output.

    If it crashes it leaves no core file.

    Call it when the libraries are loaded: until then the parent reads errors from stderr.

    Returns:
        The pipe of jobs and the pipe of answers.
    """
    answers = os.fdopen(os.dup(1), "wb")
    with suppress(ImportError, AttributeError, OSError):  # works on Linux only, and may fail
        import fcntl

        fcntl.fcntl(answers, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    quiet_worker()
    prevent_core_files()
    return sys.stdin.buffer, answers


def quiet_worker() -> None:
    """Drop all warnings and output of this process: decoders quote header values in them."""
    warnings.simplefilter("ignore")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
