"""The engine: paths in, one prediction or failure each out, in order, in constant memory."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from threading import Lock

import numpy as np

from cxrview.classify.batching import Batcher, pixels_of
from cxrview.classify.decide import decide, skip
from cxrview.classify.decode_pool import DecodePool
from cxrview.classify.model import Model, load_model
from cxrview.classify.read_settings import ReadSettings
from cxrview.classify.wire import Decoded
from cxrview.records import Answers, Failure, Prediction
from cxrview.workers.cores import Cores, cores_for
from cxrview.workers.rate_limit import RateLimiter

AHEAD = 2
"""Batches for each lane that wait for their answers, so that none runs out of work."""

Answered = list[Prediction | Failure]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How the engine runs; the number of workers or readers changes no row."""

    read: ReadSettings = ReadSettings()
    review_band: tuple[float, float] | None = None
    """Lowest and highest PFI, ends included, that go to review; the card's own where None."""
    chest_cutoff: float | None = None
    """Least `chest` of what gets a view, percent; the card's own where None."""
    workers: int | None = None
    """Cores to keep busy with decoding and the network; all where None, and never more than
    there are."""
    readers: int | None = None
    """Processes that open files, where slow storage needs more of them than `workers`, which is
    what None gives. Only so many as `workers` decode at a time."""
    timeout_s: float = 60.0
    """Seconds that reading one file may take."""
    bytes_per_second: float | None = None
    """How fast files may be read, all workers together; as fast as they can where None."""
    on_read: Callable[[str, float], None] = lambda path, seconds: None
    """Told of each file and of the seconds that its worker took, by any thread."""
    starts_all: bool = False
    """Start all readers before the first path is taken, and not as they are needed."""


def classify_files(
    paths: Iterable[str], model: Model | None = None, settings: EngineSettings | None = None
) -> Iterator[Prediction | Failure]:
    """Say which way the radiograph in every file faces.

    Args:
        paths: files or fsspec URLs, as `find_images` gives them; taken as they are needed, by
            a thread of its own.
        model: as `load_model` gives it; the one in the package where None.
        settings: the defaults where None: no pseudonyms of patients, the card's review band.

    Returns:
        As many outcomes as paths, in their order, whichever was read first.

    Raises:
        InvalidModel: the model in the package is damaged.
        TypeError: one path instead of several.
        WorkerStartError: the processes that read files cannot be started.
        InferenceError: the device that the network runs on gave up.
        Exception: taking a path raised it; what was taken before has been given.
    """
    if isinstance(paths, str):
        raise TypeError("classify_files takes several paths, such as find_images gives them")
    return _without_pauses(iter_outcomes(paths, model or load_model(), settings))


def _without_pauses(
    outcomes: Generator[Prediction | Failure | None, None, None],
) -> Iterator[Prediction | Failure]:
    with closing(outcomes):
        yield from (outcome for outcome in outcomes if outcome is not None)


def iter_outcomes(
    paths: Iterable[str], model: Model, settings: EngineSettings | None = None
) -> Generator[Prediction | Failure | None, None, None]:
    """`classify_files`, with None in between where nothing has come for a while.

    Whoever keeps outcomes, or looks at the clock, can do so meanwhile.
    """
    return _classify(paths, model, settings or EngineSettings())


def _classify(
    paths: Iterable[str], model: Model, settings: EngineSettings
) -> Generator[Prediction | Failure | None, None, None]:
    """Hand batches to threads that ask the network, and go on gathering meanwhile."""
    cores = cores_for(settings.workers)
    readers = max(settings.readers or 0, cores.count)
    rate = settings.bytes_per_second
    lanes = model.backend.lanes or cores.count
    asked: deque[Future[Answered]] = deque()
    gathering = Batcher(model.backend.batch)
    with (
        _Lanes(lanes) as threads,
        DecodePool(
            readers,
            settings.read,
            cores,
            timeout_s=settings.timeout_s,
            rate_limit=RateLimiter(rate) if rate else None,
            on_read=settings.on_read,
            starts_all=settings.starts_all,
        ) as pool,
    ):
        failed: Exception | None = None
        try:
            for outcome in pool.decode_all(paths):
                if outcome:
                    gathering.add(outcome)
                if gathering.is_due(is_idle=threads.is_one_idle, is_still=outcome is None):
                    asked.append(threads.ask(_predict, gathering.take(), model, settings, cores))
                while asked and (len(asked) > AHEAD * lanes or asked[0].done()):
                    yield from asked.popleft().result()
                if outcome is None:
                    yield None
        except Exception as error:  # first comes what was read before it
            failed = error
        asked.append(threads.ask(_predict, gathering.take(), model, settings, cores))
        while asked:
            yield from asked.popleft().result()
        if failed:
            raise failed


class _Lanes(ThreadPoolExecutor):
    """Threads that ask the network; what nobody waits for any more is not asked."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._count, self._batches = count, 0
        self._counting = Lock()

    @property
    def is_one_idle(self) -> bool:
        """Whether one of them has nothing to do."""
        return self._batches < self._count

    def ask(self, predict: Callable[..., Answered], *arguments: object) -> Future[Answered]:
        """Have the next that is idle predict."""
        with self._counting:
            self._batches += 1
        answered = self.submit(predict, *arguments)
        answered.add_done_callback(self._answer)
        return answered

    def _answer(self, _: Future[Answered]) -> None:
        with self._counting:
            self._batches -= 1

    def __exit__(self, *_: object) -> None:
        self.shutdown(cancel_futures=True)


def _predict(
    outcomes: list[Decoded], model: Model, settings: EngineSettings, cores: Cores
) -> Answered:
    answers = _ask(outcomes, model, cores)
    return [_decide(outcome, answers, model, settings) for outcome in outcomes]


def _ask(
    outcomes: list[Decoded], model: Model, cores: Cores
) -> Iterator[tuple[float, float | None]]:
    pixels = [found for one in outcomes if (found := pixels_of(one)) is not None]
    if not pixels:
        return iter(())
    with cores.for_model():
        return _answers(model.backend.run(np.stack(pixels)))


def _answers(answers: Answers) -> Iterator[tuple[float, float | None]]:
    """PFI and chest of one picture after the other."""
    for number, pfi in enumerate(answers.pfi):
        yield float(pfi), None if answers.chest is None else float(answers.chest[number])


def _decide(
    outcome: Decoded,
    answers: Iterator[tuple[float, float | None]],
    model: Model,
    settings: EngineSettings,
) -> Prediction | Failure:
    if isinstance(outcome, Failure):
        return outcome
    if outcome.skip_reason:
        return skip(outcome.instance, outcome.skip_reason, outcome.warnings, model.card)
    pfi, chest = next(answers)
    return decide(
        outcome.instance,
        pfi,
        model.card,
        chest=chest,
        review_band=settings.review_band,
        chest_cutoff=settings.chest_cutoff,
        warnings=outcome.warnings,
        is_constant=outcome.is_constant,
    )
