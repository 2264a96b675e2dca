"""One decode pool and one model for everything that a service classifies.

A run of `cxrview classify` knows its files in advance and wants outcomes in their order. A service
gets one file at a time, from many sides, and a file that takes long must not delay those after it.
So the engine hands paths to the same decode processes and the same threads of the model, but takes
the outcomes in the order in which they arrive, and forms batches across requests.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from functools import partial
from typing import Self

from cxrview.classify.batching import Batcher, pixels_of
from cxrview.classify.decode_pool import DecodePool
from cxrview.classify.engine import ModelThreads, predict_batch
from cxrview.classify.model import Model
from cxrview.classify.options import ClassifyOptions, read_settings_of
from cxrview.classify.wire import Decoded
from cxrview.errors import RunStopped
from cxrview.records.classification import Outcome
from cxrview.workers.cores import cores_for

IDLE_SECONDS = 60.0
"""Time without a file after which the decode processes end, so that their memory is free. The next
file starts them again, which takes about a second."""
AHEAD_OF_A_JOB = 16
"""Files of one batch job that wait at a time: enough to fill a batch, so few that others get their
turn."""
RETRY_SECONDS = 30.0
"""Longest pause before decode processes are started again that could not be started."""
_WAIT_SECONDS = 0.25
"""Time without an outcome after which `outcomes` yields None."""


class EngineClosed(RunStopped):
    """The engine is closed: the file was not classified, and can be sent again later."""

    def __init__(self) -> None:
        super().__init__("the service is ending", "Send the file again when it has started")


@dataclass(slots=True, eq=False)
class _Job:
    """A file that waits for its outcome."""

    path: str
    future: "Future[Outcome]" = field(default_factory=Future)


class Engine:
    """Classifies files of all entrances by one pool of decode processes and one model.

    Its methods may be called from any thread. Processes start with the first file.

    Args:
        model: from `load_model`.
        options: resolved (`ClassifyOptions.resolved`).
        idle_seconds: time without a file after which the decode processes end.
    """

    def __init__(
        self, model: Model, options: ClassifyOptions, *, idle_seconds: float = IDLE_SECONDS
    ) -> None:
        self.model, self.options = model, options
        self._idle_seconds = idle_seconds
        self._cores = cores_for(options.workers)
        self._readers = max(options.readers or 0, self._cores.count)
        self._most = 2 * self._readers + model.backend.batch
        """Files in hand at a time; others wait in the queues, where urgent ones overtake them."""
        self._changed = threading.Condition()
        self._urgent: deque[_Job] = deque()
        self._waiting: deque[_Job] = deque()
        self._pool: DecodePool | None = None
        self._in_hand: dict[int, _Job] = {}
        self._next = 0
        self._is_closing = False
        self._trouble: RunStopped | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Self:
        """Start the engine; `close` ends it."""
        return self.__enter__()

    def close(self) -> None:
        """End the processes; files without an outcome raise `EngineClosed`. It may be repeated."""
        with self._changed:
            self._is_closing = True
            self._notify()
        if self._thread.is_alive():
            self._thread.join()
        self._give_up(EngineClosed())

    def submit(self, path: str, *, is_urgent: bool = False) -> "Future[Outcome]":
        """Classify one file, later.

        Args:
            path: of a local file, which must stay there until the outcome arrives.
            is_urgent: before all files that are not, since a caller waits for the answer.

        Returns:
            The outcome; a file that cannot be read, or kills its process, is a `Failure`. The
            future raises `RunStopped` if nothing can be said about the file: `EngineClosed`,
            `InferenceError` or `WorkerStartError`. The same file may succeed later. `cancel`
            takes back a file that still waits.
        """
        job = _Job(path)
        with self._changed:
            if self._is_closing:
                job.future.set_exception(EngineClosed())
            else:
                (self._urgent if is_urgent else self._waiting).append(job)
                self._notify()
        return job.future

    def classify(self, path: str, timeout: float) -> Outcome:
        """Classify one file now, before those that were only submitted.

        Args:
            path: of a local file.
            timeout: seconds to wait for the outcome.

        Raises:
            TimeoutError: the time is over; a file that was not started is dropped.
            RunStopped: as for `submit`.
        """
        future = self.submit(path, is_urgent=True)
        try:
            return future.result(timeout)
        except FutureTimeout:
            future.cancel()
            raise TimeoutError from None

    def outcomes(self, paths: Iterable[str]) -> Generator[Outcome | None, None, None]:
        """Classify many files in order, beside all others, as `classify.engine.iter_outcomes` does.

        Args:
            paths: of local files; at most `AHEAD_OF_A_JOB` are taken before their outcomes are.

        Yields:
            One outcome for each path, and None if none has arrived for a while.

        Raises:
            RunStopped: as for `submit`.
            Exception: raised by `paths`; the outcomes of earlier paths are yielded first.
        """
        ahead = iter(paths)
        running: deque[Future[Outcome]] = deque()
        failed: Exception | None = None
        is_ended = False
        try:
            while True:
                while not is_ended and len(running) < AHEAD_OF_A_JOB:
                    try:
                        path = next(ahead, None)
                    except Exception as error:  # raised after the outcomes of earlier paths
                        path, failed = None, error
                    if path is None:
                        is_ended = True
                    else:
                        running.append(self.submit(path))
                if not running:
                    break
                try:
                    outcome = running[0].result(_WAIT_SECONDS)
                except FutureTimeout:
                    yield None
                    continue
                running.popleft()
                yield outcome
        finally:
            for future in running:
                future.cancel()
        if failed:
            raise failed

    @property
    def waiting(self) -> int:
        """Number of files without an outcome."""
        with self._changed:
            return len(self._urgent) + len(self._waiting) + len(self._in_hand)

    @property
    def trouble(self) -> RunStopped | None:
        """Why the last file got no outcome; None once one has got it again."""
        return self._trouble

    @property
    def is_alive(self) -> bool:
        """Whether it classifies what is submitted."""
        return self._thread.is_alive() and not self._is_closing

    def _notify(self) -> None:
        """Wake the engine's thread, whatever it waits for; the lock is held."""
        self._changed.notify_all()
        if self._pool:
            self._pool.wake()

    def _run(self) -> None:
        pause = 1.0
        while self._wait_for_a_file():
            try:
                self._serve_until_idle()
                pause = 1.0
            except Exception as error:  # the processes cannot be started
                self._trouble = error if isinstance(error, RunStopped) else _failed(error)
                self._give_up(self._trouble)
                with self._changed:
                    self._changed.wait_for(lambda: self._is_closing, pause)
                pause = min(2 * pause, RETRY_SECONDS)

    def _wait_for_a_file(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._is_closing or self._urgent or self._waiting)
            return not self._is_closing

    def _serve_until_idle(self) -> None:
        """Start the processes, and classify until no file has come for a while."""
        backend = self.model.backend
        with (
            ModelThreads(backend.lanes or self._cores.count) as threads,
            DecodePool(
                self._readers,
                read_settings_of(self.options, self.model.card.input_side),
                self._cores,
                timeout_s=self.options.timeout_seconds,
            ) as pool,
        ):
            self._set_pool(pool)
            try:
                self._serve(pool, threads)
            finally:
                self._set_pool(None)

    def _serve(self, pool: DecodePool, threads: ModelThreads) -> None:
        batcher = Batcher(self.model.backend.batch)
        numbers: list[int] = []
        idle_since = time.monotonic()
        while not self._is_closing:
            self._feed(pool)
            done = pool.next_decoded()
            if done:
                number, decoded = done
                if pixels_of(decoded) is None:  # needs no model
                    self._finish([number], partial(self._predict, decoded))
                else:
                    batcher.add(decoded)
                    numbers.append(number)
            if numbers and batcher.is_due(is_idle=threads.is_one_idle, is_still=not done):
                batch = threads.start(
                    predict_batch, batcher.take(), self.model, self.options, self._cores
                )
                batch.add_done_callback(partial(self._finish_batch, numbers))
                numbers = []
            if self._in_hand:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > self._idle_seconds:
                return

    def _set_pool(self, pool: DecodePool | None) -> None:
        with self._changed:
            self._pool = pool

    def _feed(self, pool: DecodePool) -> None:
        """Hand files to the pool, the urgent ones first."""
        with self._changed:
            while len(self._in_hand) < self._most:
                if not (jobs := self._urgent or self._waiting):
                    return
                job = jobs.popleft()
                if job.future.set_running_or_notify_cancel():
                    self._in_hand[self._next] = job
                    pool.submit(self._next, job.path)
                    self._next += 1

    def _predict(self, decoded: Decoded) -> list[Outcome]:
        return predict_batch([decoded], self.model, self.options, self._cores)

    def _finish_batch(self, numbers: Sequence[int], batch: "Future[list[Outcome]]") -> None:
        self._finish(numbers, batch.result)
        with self._changed:
            self._notify()  # a thread of the model is idle, and there is room in the pool

    def _finish(self, numbers: Sequence[int], predicted: Callable[[], list[Outcome]]) -> None:
        """Give files their outcomes, or all of them the error."""
        with self._changed:
            jobs = [self._in_hand.pop(number) for number in numbers if number in self._in_hand]
        try:
            outcomes = predicted()
        except CancelledError:  # the engine ended before the batch was run
            self._refuse(jobs, EngineClosed())
        except RunStopped as error:
            self._trouble = error
            self._refuse(jobs, error)
        except Exception as error:  # an error in cxrview, whose message may hold anything
            self._trouble = _failed(error)
            self._refuse(jobs, self._trouble)
        else:
            self._trouble = None
            for job, outcome in zip(jobs, outcomes, strict=True):
                job.future.set_result(outcome)

    def _give_up(self, error: RunStopped) -> None:
        """Refuse all files that have no outcome."""
        with self._changed:
            waiting = [*self._urgent, *self._waiting]
            in_hand = list(self._in_hand.values())
            self._urgent.clear()
            self._waiting.clear()
            self._in_hand.clear()
        self._refuse([job for job in waiting if job.future.set_running_or_notify_cancel()], error)
        self._refuse(in_hand, error)

    def _refuse(self, jobs: Iterable[_Job], error: RunStopped) -> None:
        for job in jobs:
            job.future.set_exception(error)


def _failed(error: Exception) -> RunStopped:
    return RunStopped(f"the engine failed ({type(error).__name__})", "Send the file again later")
