"""A worker process that may crash, hang or exhaust its memory: both sides of its pipes.

The parent starts a clean Python process, sends it jobs and waits for answers no longer than to a
deadline. What happens to the process costs the job that it was given, and nothing else: the
parent kills it and starts another. Nothing that comes back is unpickled, since a worker has read
files of unknown origin.
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

from cxrview.workers.cores import ONE_THREAD

READY = b"ready\n"
START_SECONDS = 60.0
"""A worker must have loaded its libraries by then; a cold network disk is slow."""
END_SECONDS = 5.0
"""A killed worker is abandoned then: the system does not end a process in a dead disk's driver."""
_EXIT_SECONDS = 0.2
"""After a crash the pipe closes a moment before the exit code is there."""
PIPE_BYTES = 1 << 18
"""Capacity of the pipe to the parent: an answer fits in, so that a worker need not wait for it to
be read."""


class WorkerProcess:
    """The parent's side: one process and its pipes.

    Args:
        module: run as `python -m module`. It calls `connect_to_parent`, and writes `READY` once
            its libraries are loaded.
        settings: sent to it at once.
    """

    def __init__(self, module: str, settings: bytes) -> None:
        self._process = subprocess.Popen(
            # -P: nothing is imported from the working directory.
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C on the terminal is for the parent to act on
            env={**os.environ, **ONE_THREAD},
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._inbox, self._outbox = self._process.stdin, self._process.stdout
        self._errors = self._process.stderr
        self._is_ready = False
        with suppress(BrokenPipeError):  # `is_ready` reports it
            self.send(settings)

    def is_ready(self) -> bool:
        """Wait until it has loaded its libraries; False if it died, or took too long."""
        if not self._is_ready:
            try:
                self._is_ready = self.by_deadline(START_SECONDS).receive(len(READY)) == READY
            except TimeoutError:
                return False
        return self._is_ready

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def send(self, data: bytes) -> None:
        """Write to the process.

        Raises:
            BrokenPipeError: it has died.
        """
        sent = 0
        while sent < len(data):
            sent += self._inbox.write(data[sent:]) or 0

    def by_deadline(self, seconds: float) -> "DeadlineReader":
        """Give a reader of its answers whose time begins now."""
        return DeadlineReader(self._outbox, seconds)

    def last_words(self) -> str:
        """Kill it and return the last line that it wrote to stderr before it was ready."""
        self.kill()
        lines = self._errors.read().decode(errors="replace").splitlines()
        return lines[-1] if lines else ""

    def kill(self) -> None:
        """Send it SIGKILL; safe from any thread."""
        self._process.kill()

    def end(self) -> int:
        """End it, and return its exit code, negative for the signal that killed it."""
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
    """Reads a pipe up to one point in time.

    Args:
        pipe: unbuffered.
        seconds: from now.
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

    Called when the libraries are loaded: until then the parent reads errors from stderr.

    Returns:
        Where jobs come from and where answers go.
    """
    answers = os.fdopen(os.dup(1), "wb")
    with suppress(ImportError, AttributeError, OSError):  # only Linux can, and may refuse
        import fcntl

        fcntl.fcntl(answers, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    quiet_worker()
    return sys.stdin.buffer, answers


def quiet_worker() -> None:
    """Drop all warnings and output of this process: decoders quote header values in them."""
    warnings.simplefilter("ignore")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
