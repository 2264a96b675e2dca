"""The parent's side of one decode worker: its process, its two pipes, and its time."""

import os
import pickle
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import IO

from cxrview.classify.decode_worker import GO, JOB, OPENED, READY, SIZE, ReadSettings
from cxrview.classify.wire import DecodedImage, unpack
from cxrview.records import Failure
from cxrview.workers.cores import ONE_THREAD, Cores

START_SECONDS = 60.0
"""How long a worker may take to load its libraries; a cold network disk is slow."""
END_SECONDS = 5.0
"""How long a killed one may take to be gone: the system does not end what hangs in a dead disk."""


class DecodeProcess:
    """One process and its two pipes."""

    def __init__(self, settings: ReadSettings) -> None:
        self._process = subprocess.Popen(
            # -P: nothing is imported from the folder that the user happens to stand in.
            [sys.executable, "-P", "-m", "cxrview.classify.decode_worker"],
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
        with suppress(BrokenPipeError):  # `is_ready` will say so
            self._send(pickle.dumps(settings))

    def is_ready(self) -> bool:
        """Wait until it has loaded its libraries; False where it died or hung over that."""
        if not self._is_ready:
            try:
                ready = _Deadline(self._outbox, START_SECONDS).read(len(READY))
            except TimeoutError:
                return False
            self._is_ready = ready == READY
        return self._is_ready

    def last_words(self) -> str:
        """The last line that it wrote before it had seen any file."""
        self._process.kill()
        lines = self._errors.read().decode(errors="replace").splitlines()
        return f": {lines[-1]}" if lines else ""

    def read(
        self,
        path: str,
        timeout_s: float,
        cores: Cores,
        *,
        opens_ahead: bool,
        wait_for: Callable[[int], None] | None = None,
    ) -> tuple[DecodedImage | Failure, float]:
        """Have one file read; what came of it and the seconds that the worker was at it.

        Args:
            path: of the file.
            timeout_s: that it may take; to wait for a core or for the rate does not count.
            cores: lend it one to decode on.
            opens_ahead: it opens the file before it has a core.
            wait_for: told of the file's size before it is opened, and returns when so many
                bytes may be read; raises whatever ends this.

        Raises:
            BrokenPipeError: it was dead already.
            EOFError: it died over the file.
            TimeoutError: it is still at it.
        """
        left = timeout_s
        if wait_for:
            self._send_job(path, tells_size=True, opens_ahead=opens_ahead)
            deadline = _Deadline(self._outbox, left)
            size = deadline.read(SIZE.size)
            if len(size) < SIZE.size:
                raise EOFError
            left = deadline.left()
            wait_for(*SIZE.unpack(size))
        with nullcontext() if opens_ahead else cores.for_decoding():
            if wait_for:
                self._go_on()
            else:
                self._send_job(path, tells_size=False, opens_ahead=opens_ahead)
            deadline = _Deadline(self._outbox, left)
            if not opens_ahead or deadline.read(len(OPENED)) != OPENED:
                return unpack(deadline), timeout_s - deadline.left()
            left = deadline.left()
        with cores.for_decoding():
            self._go_on()
            deadline = _Deadline(self._outbox, left)
            return unpack(deadline), timeout_s - deadline.left()

    def _send_job(self, path: str, *, tells_size: bool, opens_ahead: bool) -> None:
        name = os.fsencode(path)
        self._send(JOB.pack(len(name), tells_size, opens_ahead) + name)

    def _go_on(self) -> None:
        try:
            self._send(GO)
        except BrokenPipeError:  # it had the file already, which may be why
            raise EOFError from None

    def kill(self) -> None:
        """Send it SIGKILL; safe from any thread."""
        self._process.kill()

    def end(self) -> int:
        """See it off and give its exit code, negative for the signal that killed it."""
        try:
            # A crash closes the pipe a moment before it can be waited for.
            self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            code = -signal.SIGKILL
        self._inbox.close()
        self._outbox.close()
        self._errors.close()
        return code

    def _send(self, data: bytes) -> None:
        sent = 0
        while sent < len(data):
            sent += self._inbox.write(data[sent:]) or 0


class _Deadline:
    """A pipe, read up to one point in time."""

    def __init__(self, pipe: IO[bytes], seconds: float) -> None:
        self._pipe = pipe
        self._end = time.monotonic() + seconds
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def left(self) -> float:
        """Seconds until then."""
        return max(0.0, self._end - time.monotonic())

    def read(self, length: int) -> bytes:
        """Read `length` bytes, fewer only at the end of the pipe.

        Raises:
            TimeoutError: time is up.
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
