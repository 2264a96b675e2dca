"""Worker processes that read files side by side, and what becomes of those that die.

One thread of the parent serves each worker: it hands over a path, waits, and where the
worker dies or takes too long, writes the one file in its hands off and starts another.
Results leave in the order in which the paths came, however long each took.
"""

import os
import pickle
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import IO, Self

from cxrview.classify.cores import ONE_THREAD, Cores
from cxrview.classify.decode_worker import GO, JOB, OPENED, READY, ReadSettings
from cxrview.classify.read_pace import ReadPace
from cxrview.classify.readout import Readout, unpack
from cxrview.errors import DecoderCrash, TimedOut, WorkersFailed
from cxrview.image.unlisted import Unlisted
from cxrview.records import Failure

Outcome = Readout | Failure

WINDOW_BYTES = 16 << 20
"""What files under way or waiting for their turn may take, and no less than the next."""
WINDOW_BYTES_EACH = 1 << 20
"""For each reader, so that one slow file does not hold up many of them."""
HEADER_BYTES = 4096
"""What a file takes besides its pixels, about."""
PATIENCE_SECONDS = 1.0
"""After which whoever waits is told that nothing has come, and may go on with what there is."""
TRIES = 3
"""How often a worker is started that dies before it has read anything."""
START_SECONDS = 60.0
"""How long a worker may take to load its libraries; a cold network disk is slow."""


class DecodePool:
    """Reads files in processes.

    Args:
        readers: number of processes, at least 1. Where there are more than cores, they open
            files side by side and wait for a core before they decode.
        settings: how files are read.
        cores: lends the cores that they decode on.
        timeout_s: seconds that one file may take, its wait for a core not counted.
        pace: how fast files may be read; as fast as they can where None. To wait for it does
            not count as reading.
        on_read: told of each file and the seconds that its worker took, by any thread.
    """

    def __init__(
        self,
        readers: int,
        settings: ReadSettings,
        cores: Cores,
        *,
        timeout_s: float,
        pace: ReadPace | None = None,
        on_read: Callable[[str, float], None] | None = None,
    ) -> None:
        self._jobs: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[int, Outcome | Exception]] = queue.SimpleQueue()
        self._pixel_bytes = settings.side**2
        self._window = max(WINDOW_BYTES, readers * WINDOW_BYTES_EACH)
        opens_ahead = readers > cores.count
        self._servers = [
            _Server(self._jobs, self._done, settings, timeout_s, cores, opens_ahead, pace, on_read)
            for _ in range(readers)
        ]

    def __enter__(self) -> Self:
        for server in self._servers:
            server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for _server in self._servers:
            self._jobs.put(None)
        for server in self._servers:
            server.stop()

    def read(self, paths: Iterable[str]) -> Iterator[Outcome | None]:
        """Read every path; as many outcomes as paths, in their order.

        Returns:
            Outcomes; None in between where none has come for a while.

        Raises:
            WorkersFailed: workers cannot be started, however often that is tried.
        """
        ahead = iter(paths)
        arrived: dict[int, Outcome] = {}
        submitted = delivered = held = 0
        while True:
            while held + self._most_bytes() <= self._window:
                path = next(ahead, None)
                if path is None:
                    break
                self._jobs.put((submitted, path))
                submitted += 1
                held += self._most_bytes()
            if delivered == submitted:
                return
            while delivered not in arrived:
                came = self._next_done()
                if came is None:
                    yield None
                    continue
                number, arrived[number] = came
                held -= self._most_bytes() - _bytes_of(arrived[number])
            outcome = arrived.pop(delivered)
            held -= _bytes_of(outcome)
            delivered += 1
            yield outcome

    def _most_bytes(self) -> int:
        return HEADER_BYTES + self._pixel_bytes

    def _next_done(self) -> tuple[int, Outcome] | None:
        try:
            number, outcome = self._done.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            return None
        if isinstance(outcome, Exception):
            raise outcome
        return number, outcome


def _bytes_of(outcome: Outcome) -> int:
    if isinstance(outcome, Failure) or outcome.pixels is None:
        return HEADER_BYTES
    return HEADER_BYTES + outcome.pixels.nbytes


class _Server(threading.Thread):
    """The parent's side of one worker."""

    def __init__(
        self,
        jobs: "queue.SimpleQueue[tuple[int, str] | None]",
        done: "queue.SimpleQueue[tuple[int, Outcome | Exception]]",
        settings: ReadSettings,
        timeout_s: float,
        cores: Cores,
        opens_ahead: bool,
        pace: ReadPace | None,
        on_read: Callable[[str, float], None] | None,
    ) -> None:
        super().__init__(daemon=True)
        self._pace, self._on_read = pace, on_read
        self._jobs, self._done = jobs, done
        self._settings, self._timeout_s = settings, timeout_s
        self._cores, self._opens_ahead = cores, opens_ahead
        self._worker: _Worker | None = None
        self._is_stopping = False

    def run(self) -> None:
        while (job := self._jobs.get()) is not None and not self._is_stopping:
            number, path = job
            if isinstance(path, Unlisted) and path.reason:  # a worker could not know it
                self._done.put((number, self._told(path, time.monotonic(), _unlisted(path))))
                continue
            if self._pace and not self._wait(self._pace.seconds_before(path)):
                break
            try:
                self._done.put((number, self._read(path)))
            except Exception as error:  # handed on to the thread that asked, which raises it
                self._done.put((number, error))
        if self._worker:
            self._worker.end()

    def stop(self) -> None:
        """End at once, in the middle of a file if need be."""
        self._is_stopping = True
        while self.is_alive():
            if self._worker:
                self._worker.kill()
            self.join(0.1)

    def _wait(self, seconds: float) -> bool:
        """Let time pass; False where the pool is to end meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._is_stopping:
            time.sleep(min(left, 0.1))
        return not self._is_stopping

    def _read(self, path: str) -> Outcome:
        for _ in range(TRIES):
            try:
                with self._cores.for_decoding():  # its libraries are loaded, which is work too
                    worker, began = self._ready_worker(), time.monotonic()
                    if not self._opens_ahead:
                        return self._told(path, began, worker.read(path, self._timeout_s))
                outcome = worker.read(path, self._timeout_s, self._cores)
                return self._told(path, began, outcome)
            except BrokenPipeError:  # it had died before it got this file, which is not at fault
                self._end_worker()
            except EOFError:
                return _died(path, self._end_worker())
            except TimeoutError:
                self._end_worker()
                return _timed_out(path, self._timeout_s)
        raise WorkersFailed("the processes that read files die as soon as they are started")

    def _told(self, path: str, began: float, outcome: Outcome) -> Outcome:
        if self._on_read:
            self._on_read(path, time.monotonic() - began)
        return outcome

    def _ready_worker(self) -> "_Worker":
        why = ""
        for _ in range(TRIES):
            if self._worker is None:
                self._worker = _Worker(self._settings)
            if self._worker.is_ready():
                return self._worker
            why = self._worker.last_words()
            code = self._end_worker()
            if self._is_stopping:
                break
        raise WorkersFailed(
            f"the processes that read files cannot be started (exit code {code}{why})",
            "Check memory and the installation, and go on with --resume",
        )

    def _end_worker(self) -> int:
        worker, self._worker = self._worker, None
        return worker.end() if worker else 0


class _Worker:
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

    def read(self, path: str, timeout_s: float, cores: Cores | None = None) -> Outcome:
        """Have one file read.

        Args:
            path: of the file.
            timeout_s: that it may take.
            cores: lend one as soon as the file is open; None where the caller holds one.

        Raises:
            BrokenPipeError: it was dead already.
            EOFError: it died over the file.
            TimeoutError: it is still at it.
        """
        name = os.fsencode(path)
        self._send(JOB.pack(len(name), cores is not None) + name)
        deadline = _Deadline(self._outbox, timeout_s)
        if cores is None or deadline.read(len(OPENED)) != OPENED:
            return unpack(deadline)
        deadline.stop()
        with cores.for_decoding():
            deadline.go_on()
            self._send(GO)
            return unpack(deadline)

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
        code = self._process.wait()
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

    def stop(self) -> None:
        """Stop the clock."""
        self._end -= time.monotonic()

    def go_on(self) -> None:
        """Start it again."""
        self._end += time.monotonic()

    def read(self, length: int) -> bytes:
        """Read `length` bytes, fewer only at the end of the pipe.

        Raises:
            TimeoutError: time is up.
        """
        data = bytearray()
        while len(data) < length:
            left = max(0.0, self._end - time.monotonic())
            if not self._poll.poll(1000 * left):
                raise TimeoutError
            part = self._pipe.read(length - len(data))
            if not part:
                break
            data += part
        return bytes(data)


def _unlisted(path: Unlisted) -> Failure:
    error = path.error()
    return Failure(path=error.path, code=error.code, reason=error.reason, advice=error.advice)


def _died(path: str, exit_code: int) -> Failure:
    how = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    advice = "The file is probably damaged; check it with another viewer"
    if exit_code == -signal.SIGKILL:
        advice = "Somebody killed it, perhaps the system for want of memory: try fewer --workers"
    return Failure(
        path=path,
        code=DecoderCrash.code,
        reason=f"the process that read it died ({how})",
        advice=advice,
    )


def _timed_out(path: str, timeout_s: float) -> Failure:
    return Failure(
        path=path,
        code=TimedOut.code,
        reason=f"reading it took longer than {timeout_s:g} s",
        advice="Give files more time with --timeout if the disk is slow",
    )
