"""Decode files and run the model on them: one prediction or failure per path, in order, in constant
memory."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from threading import Lock
from typing import Any

import numpy as np

from cxrview.classify.batching import Batcher, pixels_of
from cxrview.classify.decide import skip
from cxrview.classify.decode_pool import DecodePool
from cxrview.classify.model import Model
from cxrview.classify.options import ClassifyOptions, read_settings_of
from cxrview.classify.wire import Decoded
from cxrview.errors import InferenceError
from cxrview.records.answers import Answer
from cxrview.records.classification import Failure, Outcome
from cxrview.workers.cores import Cores, cores_for
from cxrview.workers.rate_limit import RateLimiter

AHEAD = 2
"""Number of batches that wait for each thread of the model, so that it does not become idle."""


def ignore_time(path: str, seconds: float) -> None:
    """Do nothing; the default of `on_read`."""


def classify_files(
    paths: Iterable[str], model: Model, options: ClassifyOptions | None = None, **internals: Any
) -> Iterator[Outcome]:
    """Classify every file, in order; see `iter_outcomes`.

    Returns:
        One outcome for each path, in the order of the paths.
    """
    with closing(
        iter_outcomes(paths, model, options or ClassifyOptions(), **internals)
    ) as outcomes:
        yield from (outcome for outcome in outcomes if outcome is not None)


def iter_outcomes(
    paths: Iterable[str],
    model: Model,
    options: ClassifyOptions,
    *,
    on_read: Callable[[str, float], None] = ignore_time,
    starts_all: bool = False,
) -> Generator[Outcome | None, None, None]:
    """Decode files in worker processes, and run the model on batches of them in threads.

    Args:
        paths: files or fsspec URLs, from `find_images`; a separate thread iterates over them as
            they are needed.
            model: from `load_model`.
            options: how files are read and decided.
            on_read: called by any thread with each file and the seconds that its worker took.
            starts_all: start all readers before the first path is taken, instead of when needed.

    Yields:
        An outcome for each path, in order, and None if none has arrived for a while, so that the
        caller can record outcomes, or check the time.

    Raises:
        WorkerStartError: the processes that read files cannot be started.
        InferenceError: the device that the model runs on failed.
        Exception: raised by `paths`; the outcomes of earlier paths are yielded first.
    """
    cores = cores_for(options.workers)
    rate = options.bytes_per_second
    lanes = model.backend.lanes or cores.count
    running: deque[Future[list[Outcome]]] = deque()
    batcher = Batcher(model.backend.batch)
    with (
        ModelThreads(lanes) as threads,
        DecodePool(
            max(options.readers or 0, cores.count),
            read_settings_of(options, model.card.input_side),
            cores,
            timeout_s=options.timeout_seconds,
            rate_limit=RateLimiter(rate) if rate else None,
            on_read=on_read,
            starts_all=starts_all,
        ) as pool,
    ):
        failed: Exception | None = None
        try:
            for decoded in pool.decode_all(paths):
                if decoded:
                    batcher.add(decoded)
                if batcher.is_due(is_idle=threads.is_one_idle, is_still=decoded is None):
                    running.append(
                        threads.start(predict_batch, batcher.take(), model, options, cores)
                    )
                while running and (len(running) > AHEAD * lanes or running[0].done()):
                    yield from running.popleft().result()
                if decoded is None:
                    yield None
        except InferenceError:  # the outcomes of its batch are missing: none may follow
            raise
        except Exception as error:  # raised after the outcomes of earlier paths
            failed = error
        running.append(threads.start(predict_batch, batcher.take(), model, options, cores))
        while running:
            yield from running.popleft().result()
        if failed:
            raise failed


class ModelThreads(ThreadPoolExecutor):
    """Threads that run the model; batches that are still waiting at the end are cancelled."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._count, self._batches = count, 0
        self._counting = Lock()

    @property
    def is_one_idle(self) -> bool:
        """Whether one of the threads is idle."""
        return self._batches < self._count

    def start(
        self, predict: Callable[..., list[Outcome]], *arguments: object
    ) -> Future[list[Outcome]]:
        """Run a batch in the next idle thread."""
        with self._counting:
            self._batches += 1
        future = self.submit(predict, *arguments)
        future.add_done_callback(self._finish)
        return future

    def _finish(self, _: Future[list[Outcome]]) -> None:
        with self._counting:
            self._batches -= 1

    def __exit__(self, *_: object) -> None:
        self.shutdown(cancel_futures=True)


def predict_batch(
    decoded: list[Decoded], model: Model, options: ClassifyOptions, cores: Cores
) -> list[Outcome]:
    """Run the model on the images of a batch, and decide on all of it.

    Args:
        decoded: images, and files that failed or are skipped, in any order.
        model: from `load_model`.
        options: resolved.
        cores: lends the core for the model.

    Returns:
        One outcome for each, in the same order.

    Raises:
        InferenceError: the device that the model runs on failed.
    """
    outputs = _run_model(decoded, model, cores)
    return [_decide(one, outputs, model, options) for one in decoded]


def _run_model(decoded: list[Decoded], model: Model, cores: Cores) -> Iterator[Answer]:
    pixels = [found for one in decoded if (found := pixels_of(one)) is not None]
    if not pixels:
        return iter(())
    with cores.for_model():
        return iter(model.run(np.stack(pixels)))


def _decide(
    decoded: Decoded, outputs: Iterator[Answer], model: Model, options: ClassifyOptions
) -> Outcome:
    if isinstance(decoded, Failure):
        return decoded
    if decoded.skip_reason:
        return skip(decoded.instance, decoded.skip_reason, decoded.warnings, model.card)
    return model.decide(
        decoded.instance,
        next(outputs),
        review_band=options.review_band,
        chest_cutoff=options.chest_cutoff,
        thresholds=options.pose_thresholds,
        warnings=decoded.warnings,
        is_constant=decoded.is_constant,
    )
