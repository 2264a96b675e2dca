"""A pool of decode processes; a crash or a timeout fails one file.

One thread of the parent serves each process: it sends a path and waits for the outcome. If the
process dies or takes too long, the thread reports that file as a failure and starts a new process.
Outcomes are yielded in the order of the paths. Back-pressure: a path is taken only while the files
that are being decoded, or wait for their turn, fit into a window of bytes.
"""

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self

from cxrview.classify.decode_process import DecodeProcess
from cxrview.classify.prefetch import PathPrefetcher
from cxrview.classify.read_settings import ReadSettings
from cxrview.classify.wire import Decoded
from cxrview.errors import DecoderCrashed, TimedOut, WorkerStartError
from cxrview.image.failure import failure_of
from cxrview.records.classification import Failure
from cxrview.sources.find import UnlistedFolder
from cxrview.workers.cores import Cores
from cxrview.workers.rate_limit import RateLimiter

WINDOW_BYTES = 16 << 20
"""Window of bytes that files being decoded, or waiting for their turn, may take."""
WINDOW_BYTES_EACH = 1 << 20
"""Minimum of that window for each process, so that one slow file does not stop many processes."""
HEADER_BYTES = 4096
"""Approximate size of an outcome without its pixels."""
IDLE_SECONDS = 0.25
"""Time without an outcome after which `decode_all` yields None, so that the caller can send an
incomplete batch."""
TRIES = 3
"""Number of starts of a worker that dies before it has read anything."""
STOP_SECONDS = 10.0
"""Time after which threads are abandoned whose processes the system does not end."""


@dataclass(frozen=True, slots=True)
class _End:
    """Marks the end of the paths."""

    count: int
    """Number of paths."""
    error: BaseException | None
    """Raised by the iterable of paths."""


_Done = tuple[int, Decoded] | _End | Exception | None
"""None only wakes the thread that waits for outcomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """State that the threads of a pool share."""

    settings: ReadSettings
    timeout_s: float
    cores: Cores
    rate_limit: RateLimiter | None
    on_read: Callable[[str, float], None]
    opens_ahead: bool
    jobs: "queue.SimpleQueue[tuple[int, str] | None]"
    done: "queue.SimpleQueue[_Done]"


class DecodePool:
    """Decodes files in processes.

    Args:
        readers: number of processes, at least 1. If there are more than cores, they open
            files side by side and wait for a core before they decode. Those beyond the number of
            cores are started one by one, while files are waiting and cores are idle.
            settings: how files are read.
            cores: lends the cores for decoding.
            timeout_s: seconds that one file may take, not counting its wait for a core.
            rate_limit: of bytes read; None for no limit. The wait for it does not count as reading.
            on_read: called with each file and the seconds that its worker took, from any thread.
            starts_all: start all processes before the first path is taken.
    """

    def __init__(
        self,
        readers: int,
        settings: ReadSettings,
        cores: Cores,
        *,
        timeout_s: float,
        rate_limit: RateLimiter | None = None,
        on_read: Callable[[str, float], None] = lambda path, seconds: None,
        starts_all: bool = False,
    ) -> None:
        self._shared = _Shared(
            settings=settings,
            timeout_s=timeout_s,
            cores=cores,
            rate_limit=rate_limit,
            on_read=on_read,
            opens_ahead=readers > cores.count,
            jobs=queue.SimpleQueue(),
            done=queue.SimpleQueue(),
        )
        self._most_bytes = HEADER_BYTES + settings.side**2
        self._window = max(WINDOW_BYTES, readers * WINDOW_BYTES_EACH)
        self._prefetcher: PathPrefetcher | None = None
        self._starts_all = starts_all
        self._threads = [
            _WorkerThread(self._shared, is_extra=number >= cores.count and not starts_all)
            for number in range(readers)
        ]
        self._not_started = self._threads[::-1]

    def __enter__(self) -> Self:
        if self._starts_all:
            while self._not_started:
                self._start_one()
        return self

    def __exit__(self, *_: object) -> None:
        if self._prefetcher:
            self._prefetcher.stop()
        started = [thread for thread in self._threads if thread not in self._not_started]
        for thread in started:
            thread.stop()
            self._shared.jobs.put(None)
        self._shared.cores.wake()
        end = time.monotonic() + STOP_SECONDS
        for thread in started:
            thread.join_by(end)

    def decode_all(self, paths: Iterable[str]) -> Iterator[Decoded | None]:
        """Decode every path; called once.

        Returns:
            One outcome for each path, in order; None in between if no outcome has arrived for a
            while.

        Raises:
            WorkerStartError: workers cannot be started after several tries.
            Exception: raised by `paths`; the outcomes of earlier paths are yielded first.
        """
        if self._starts_all:
            for thread in self._threads:
                thread.is_ready.wait()
        prefetcher = self._prefetcher = PathPrefetcher(paths, self.submit, self._end)
        prefetcher.start()
        arrived: dict[int, Decoded] = {}
        delivered = held = 0
        end: _End | None = None
        while end is None or delivered < end.count:
            while held + self._most_bytes <= self._window:
                prefetcher.allow_one()
                held += self._most_bytes
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
                held -= self._most_bytes - _bytes_of(outcome)
        if end.error:
            raise end.error

    def submit(self, number: int, path: str) -> None:
        """Decode one path; `next_decoded` returns its outcome, in any order of the numbers.

        For callers that do not have all paths at once, in place of `decode_all`, and that limit
        how many are being decoded. Called by one thread.
        """
        self._shared.jobs.put((number, path))
        if self._not_started:
            self._start_one()

    def next_decoded(self) -> tuple[int, Decoded] | None:
        """Wait for the next outcome of `submit`; None after `IDLE_SECONDS`, or at `wake`.

        Raises:
            WorkerStartError: workers cannot be started after several tries.
        """
        done = self._next_done()
        assert not isinstance(done, _End)  # only `decode_all` has an end
        return done

    def wake(self) -> None:
        """Make `next_decoded` return at once; safe from any thread."""
        self._shared.done.put(None)

    def _start_one(self) -> None:
        self._not_started.pop().start()

    def _end(self, count: int, error: BaseException | None) -> None:
        self._shared.done.put(_End(count, error))

    def _next_done(self) -> tuple[int, Decoded] | _End | None:
        try:
            done = self._shared.done.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return None
        if isinstance(done, Exception):
            raise done
        return done


def _bytes_of(outcome: Decoded) -> int:
    if isinstance(outcome, Failure) or outcome.pixels is None:
        return HEADER_BYTES
    return HEADER_BYTES + outcome.pixels.nbytes


class _WorkerThread(threading.Thread):
    """Serves one worker process.

    Args:
        shared: of the pool.
        is_extra: the process is started only on a core that is idle.
    """

    def __init__(self, shared: _Shared, *, is_extra: bool) -> None:
        super().__init__(daemon=True)
        self._shared, self._is_extra = shared, is_extra
        self._worker: DecodeProcess | None = None
        self._stopping = threading.Event()
        self.is_ready = threading.Event()
        """Set once its worker was started, or could not be started."""

    def run(self) -> None:
        """Start a worker and decode one file after the other."""
        shared = self._shared
        try:
            # Started before a file is taken, or that file would wait for the start.
            with self._core_to_start_on():
                self._ready_worker()
            self.is_ready.set()
            while (job := shared.jobs.get()) is not None and not self._stopping.is_set():
                number, path = job
                shared.done.put((number, self._decode(path)))
        except _PoolClosing:
            pass
        except Exception as error:  # raised in the thread that called `decode_all`
            shared.done.put(error)
        self.is_ready.set()
        self._end_worker()

    def _core_to_start_on(self) -> AbstractContextManager[None]:
        if self._is_extra:
            return self._shared.cores.for_starting(self._stopping.is_set)
        return self._shared.cores.for_decoding()

    def stop(self) -> None:
        """End at once, even in the middle of a file."""
        self._stopping.set()
        self._kill()

    def join_by(self, end: float) -> None:
        """Wait until the thread has ended, at most until this time."""
        while self.is_alive() and time.monotonic() < end:
            self._kill()
            self.join(0.1)

    def _kill(self) -> None:
        if worker := self._worker:
            worker.kill()

    def _wait_for_rate(self, size: int) -> None:
        """Wait until the rate limit allows `size` bytes.

        Raises:
            _PoolClosing: the pool was closed during the wait.
        """
        limit = self._shared.rate_limit
        if limit and self._stopping.wait(limit.take(size)):
            raise _PoolClosing

    def _decode(self, path: str) -> Decoded:
        shared = self._shared
        if isinstance(path, UnlistedFolder) and path.reason:  # a worker would not find the reason
            shared.on_read(path, 0.0)
            return failure_of(path, path.error())
        for _ in range(TRIES):
            worker = self._worker
            if worker is None:
                with shared.cores.for_decoding():  # loading the libraries needs a core, too
                    worker = self._ready_worker()
            began = time.monotonic()
            try:
                outcome, seconds = worker.decode(
                    path,
                    shared.timeout_s,
                    shared.cores,
                    opens_ahead=shared.opens_ahead,
                    wait_for=self._wait_for_rate if shared.rate_limit else None,
                )
            except BrokenPipeError:  # it died before it received this file, which is not the cause
                self._end_worker()
                continue
            except EOFError:
                outcome, seconds = _crashed(path, self._end_worker()), time.monotonic() - began
            except TimeoutError:
                self._end_worker()
                outcome, seconds = _timed_out(path, shared.timeout_s), shared.timeout_s
            shared.on_read(path, seconds)
            return outcome
        raise WorkerStartError("the processes that read files die as soon as they are started")

    def _ready_worker(self) -> DecodeProcess:
        reason = ""
        for _ in range(TRIES):
            if self._stopping.is_set():
                raise _PoolClosing
            if self._worker is None:
                self._worker = DecodeProcess(self._shared.settings)
            if self._worker.is_ready():
                return self._worker
            words = self._worker.last_words()
            code = self._end_worker()
            reason = f"exit code {code}" + (f": {words}" if words else "")
        raise WorkerStartError(
            f"the processes that read files cannot be started ({reason})",
            "Check memory and the installation, and continue with --resume",
        )

    def _end_worker(self) -> int:
        worker, self._worker = self._worker, None
        return worker.end() if worker else 0


class _PoolClosing(Exception):
    """Raised in a worker thread when the pool is closing."""


def _crashed(path: str, exit_code: int) -> Failure:
    how = signal.Signals(-exit_code).name if exit_code < 0 else f"exit code {exit_code}"
    advice = DecoderCrashed.default_advice
    if exit_code == -signal.SIGKILL:
        advice = "The process was killed, probably for lack of memory. Try fewer --workers"
    return failure_of(path, DecoderCrashed(path, f"the process that read it died ({how})", advice))


def _timed_out(path: str, timeout_s: float) -> Failure:
    return failure_of(path, TimedOut(path, f"reading it took longer than {timeout_s:g} s"))
