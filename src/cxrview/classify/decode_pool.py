"""Worker processes that read files side by side, and what becomes of those that die.

One thread of the parent serves each worker: it hands over a path, waits, and where the
worker dies or takes too long, writes the one file in its hands off and starts another.
Results leave in the order in which the paths came, however long each took.
"""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

from cxrview.classify.decode_worker import ReadSettings
from cxrview.classify.prefetch import PathPrefetcher
from cxrview.classify.wire import DecodedImage
from cxrview.classify.worker_process import DecodeProcess
from cxrview.errors import DecoderCrashed, TimedOut, WorkerStartError
from cxrview.records import Failure
from cxrview.sources.find import Unlisted
from cxrview.workers.cores import Cores
from cxrview.workers.rate_limit import RateLimiter

Outcome = DecodedImage | Failure

WINDOW_BYTES = 16 << 20
"""What files under way or waiting for their turn may take, and no less than the next."""
WINDOW_BYTES_EACH = 1 << 20
"""For each reader, so that one slow file does not hold up many of them."""
HEADER_BYTES = 4096
"""What a file takes besides its pixels, about."""
PATIENCE_SECONDS = 0.25
"""After which whoever waits is told that nothing has come, and may go on with what there is."""
TRIES = 3
"""How often a worker is started that dies before it has read anything."""
STOP_SECONDS = 10.0
"""After which threads are left behind whose workers the system cannot end."""


@dataclass(frozen=True, slots=True)
class _End:
    """No more paths come."""

    count: int
    """So many came."""
    error: BaseException | None
    """Why, if not because there are no more."""


_Done = tuple[int, Outcome] | _End | Exception


class DecodePool:
    """Reads files in processes.

    Args:
        readers: number of processes, at least 1. Where there are more than cores, they open
            files side by side and wait for a core before they decode. Those beyond the cores
            are started one by one, as files come and cores have nothing to do.
        settings: how files are read.
        cores: lends the cores that they decode on.
        timeout_s: seconds that one file may take, its wait for a core not counted.
        pace: how fast files may be read; as fast as they can where None. To wait for it does
            not count as reading.
        on_read: told of each file and the seconds that its worker took, by any thread.
        starts_all: start all processes before the first path is taken.
    """

    def __init__(
        self,
        readers: int,
        settings: ReadSettings,
        cores: Cores,
        *,
        timeout_s: float,
        pace: RateLimiter | None = None,
        on_read: Callable[[str, float], None] = lambda path, seconds: None,
        starts_all: bool = False,
    ) -> None:
        self._jobs: queue.SimpleQueue[tuple[int, str] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[_Done] = queue.SimpleQueue()
        self._pixel_bytes = settings.side**2
        self._window = max(WINDOW_BYTES, readers * WINDOW_BYTES_EACH)
        self._ahead: PathPrefetcher | None = None
        self._starts_all = starts_all
        self._servers = [
            _Server(
                self._jobs,
                self._done,
                settings,
                timeout_s,
                cores,
                pace,
                on_read,
                opens_ahead=readers > cores.count,
                is_extra=number >= cores.count and not starts_all,
            )
            for number in range(readers)
        ]
        self._not_started = self._servers[::-1]
        self._cores = cores

    def __enter__(self) -> Self:
        if self._starts_all:
            while self._not_started:
                self._start_one()
        return self

    def __exit__(self, *_: object) -> None:
        if self._ahead:
            self._ahead.stop()
        started = [server for server in self._servers if server not in self._not_started]
        for server in started:
            server.stop()
            self._jobs.put(None)
        self._cores.wake()
        end = time.monotonic() + STOP_SECONDS
        for server in started:
            server.join_by(end)

    def read(self, paths: Iterable[str]) -> Iterator[Outcome | None]:
        """Read every path, once; as many outcomes as paths, in their order.

        Returns:
            Outcomes; None in between where none has come for a while.

        Raises:
            WorkerStartError: workers cannot be started, however often that is tried.
            Exception: taking a path raised it; what was taken before has been delivered.
        """
        if self._starts_all:
            for server in self._servers:
                server.is_ready.wait()
        ahead = self._ahead = PathPrefetcher(paths, self._submit, self._end)
        ahead.start()
        arrived: dict[int, Outcome] = {}
        delivered = held = 0
        end: _End | None = None
        while end is None or delivered < end.count:
            while held + self._most_bytes() <= self._window:
                ahead.allow_one()
                held += self._most_bytes()
            if delivered in arrived:
                outcome = arrived.pop(delivered)
                held -= _bytes_of(outcome)
                delivered += 1
                yield outcome
                continue
            came = self._next_done()
            if isinstance(came, _End):
                end = came
            elif came is None:
                yield None
            else:
                number, outcome = came
                arrived[number] = outcome
                held -= self._most_bytes() - _bytes_of(outcome)
        if end.error:
            raise end.error

    def _submit(self, number: int, path: str) -> None:
        self._jobs.put((number, path))
        if self._not_started:
            self._start_one()

    def _start_one(self) -> None:
        self._not_started.pop().start()

    def _end(self, count: int, error: BaseException | None) -> None:
        self._done.put(_End(count, error))

    def _most_bytes(self) -> int:
        return HEADER_BYTES + self._pixel_bytes

    def _next_done(self) -> tuple[int, Outcome] | _End | None:
        try:
            done = self._done.get(timeout=PATIENCE_SECONDS)
        except queue.Empty:
            return None
        if isinstance(done, Exception):
            raise done
        return done


def _bytes_of(outcome: Outcome) -> int:
    if isinstance(outcome, Failure) or outcome.pixels is None:
        return HEADER_BYTES
    return HEADER_BYTES + outcome.pixels.nbytes


class _Server(threading.Thread):
    """The parent's side of one worker."""

    def __init__(
        self,
        jobs: "queue.SimpleQueue[tuple[int, str] | None]",
        done: "queue.SimpleQueue[_Done]",
        settings: ReadSettings,
        timeout_s: float,
        cores: Cores,
        pace: RateLimiter | None,
        on_read: Callable[[str, float], None],
        *,
        opens_ahead: bool,
        is_extra: bool,
    ) -> None:
        super().__init__(daemon=True)
        self._pace, self._on_read = pace, on_read
        self._jobs, self._done = jobs, done
        self._settings, self._timeout_s = settings, timeout_s
        self._cores, self._opens_ahead, self._is_extra = cores, opens_ahead, is_extra
        self._worker: DecodeProcess | None = None
        self._stopping = threading.Event()
        self.is_ready = threading.Event()
        """Its worker has been started, or could not be."""

    def run(self) -> None:
        """Start a worker and have it read one file after the other."""
        try:
            # Before a file is taken, which would otherwise wait for it.
            with self._core_to_start_on():
                self._ready_worker()
            self.is_ready.set()
            while (job := self._jobs.get()) is not None and not self._stopping.is_set():
                number, path = job
                self._done.put((number, self._read(path)))
        except _Stopped:
            pass
        except Exception as error:  # handed on to the thread that asked, which raises it
            self._done.put(error)
        self.is_ready.set()
        self._end_worker()

    def _core_to_start_on(self) -> AbstractContextManager[None]:
        if self._is_extra:
            return self._cores.for_starting(self._stopping.is_set)
        return self._cores.for_decoding()

    def stop(self) -> None:
        """Have it end at once, in the middle of a file if need be."""
        self._stopping.set()
        self._kill()

    def join_by(self, end: float) -> None:
        """Wait until it has ended, and no longer than to this point in time."""
        while self.is_alive() and time.monotonic() < end:
            self._kill()
            self.join(0.1)

    def _kill(self) -> None:
        if worker := self._worker:
            worker.kill()

    def _wait_for(self, size: int) -> None:
        """Let the time pass that the rate demands of so many bytes.

        Raises:
            _Stopped: the pool is to end meanwhile.
        """
        if self._pace and self._stopping.wait(self._pace.take(size)):
            raise _Stopped

    def _read(self, path: str) -> Outcome:
        if isinstance(path, Unlisted) and path.reason:  # a worker could not know it
            self._on_read(path, 0.0)
            return _unlisted(path)
        for _ in range(TRIES):
            worker = self._worker
            if worker is None:
                with self._cores.for_decoding():  # its libraries are loaded, which is work too
                    worker = self._ready_worker()
            began = time.monotonic()
            try:
                outcome, seconds = worker.read(
                    path,
                    self._timeout_s,
                    self._cores,
                    opens_ahead=self._opens_ahead,
                    wait_for=self._wait_for if self._pace else None,
                )
            except BrokenPipeError:  # it had died before it got this file, which is not at fault
                self._end_worker()
                continue
            except EOFError:
                outcome, seconds = _died(path, self._end_worker()), time.monotonic() - began
            except TimeoutError:
                self._end_worker()
                outcome, seconds = _timed_out(path, self._timeout_s), self._timeout_s
            self._on_read(path, seconds)
            return outcome
        raise WorkerStartError("the processes that read files die as soon as they are started")

    def _ready_worker(self) -> DecodeProcess:
        why = ""
        for _ in range(TRIES):
            if self._stopping.is_set():
                raise _Stopped
            if self._worker is None:
                self._worker = DecodeProcess(self._settings)
            if self._worker.is_ready():
                return self._worker
            why = self._worker.last_words()
            code = self._end_worker()
        raise WorkerStartError(
            f"the processes that read files cannot be started (exit code {code}{why})",
            "Check memory and the installation, and go on with --resume",
        )

    def _end_worker(self) -> int:
        worker, self._worker = self._worker, None
        return worker.end() if worker else 0


class _Stopped(Exception):
    """Nobody wants any more."""


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
        code=DecoderCrashed.code,
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
