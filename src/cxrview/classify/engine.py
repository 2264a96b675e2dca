"""The engine: paths in, one prediction or failure each out, in order, in constant memory."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from cxrview.classify.abstain import decide, skip
from cxrview.classify.cores import Cores, available_cores
from cxrview.classify.decode_pool import DecodePool, Outcome
from cxrview.classify.decode_worker import ReadSettings
from cxrview.classify.read_pace import ReadPace
from cxrview.classify.readout import Readout
from cxrview.classify.runtime import BATCH, Model, load_model
from cxrview.records import Answers, Failure, Prediction

LONGEST_WAIT = 4 * BATCH
"""Outcomes after which a batch goes out unfilled: failures and skipped files pass through too."""
AHEAD = 2
"""Batches for each core that wait for their answers, so that none runs out of work."""

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
    """Cores to keep busy with decoding and the network; all where None."""
    readers: int | None = None
    """Processes that open files, where slow storage needs more of them than `workers`, which is
    what None gives. Only so many as `workers` decode at a time."""
    timeout_s: float = 60.0
    """Seconds that reading one file may take."""
    bytes_per_second: float | None = None
    """How fast files may be read, all workers together; as fast as they can where None."""
    on_read: Callable[[str, float], None] | None = None
    """Told of each file that was read and of the seconds that its worker took, by any thread."""


def classify_files(
    paths: Iterable[str], model: Model | None = None, settings: EngineSettings | None = None
) -> Iterator[Prediction | Failure]:
    """Say which way the radiograph in every file faces.

    Args:
        paths: files or fsspec URLs, as `find_images` gives them; taken as they are needed.
        model: as `load_model` gives it; the one in the package where None.
        settings: the defaults where None: no pseudonyms of patients, the card's review band.

    Returns:
        As many outcomes as paths, in their order, whichever was read first.

    Raises:
        ModelRefused: the model in the package is damaged.
        TypeError: one path instead of several.
        WorkersFailed: the processes that read files cannot be started.
    """
    if isinstance(paths, str):
        raise TypeError("classify_files takes several paths, such as find_images gives them")
    return _classify(paths, model or load_model(), settings or EngineSettings())


def _classify(
    paths: Iterable[str], model: Model, settings: EngineSettings
) -> Iterator[Prediction | Failure]:
    """Hand batches to threads that ask the network, and go on gathering meanwhile."""
    cores = Cores(settings.workers or available_cores())
    readers = max(settings.readers or 0, cores.count)
    rate = settings.bytes_per_second
    with (
        _Lanes(cores.count) as lanes,
        DecodePool(
            readers,
            settings.read,
            cores,
            timeout_s=settings.timeout_s,
            pace=ReadPace(rate) if rate else None,
            on_read=settings.on_read,
        ) as pool,
    ):
        asked: deque[Future[Answered]] = deque()
        for batch in _batches(pool.read(paths)):
            if batch:
                asked.append(lanes.submit(_predict, batch, model, settings, cores))
            while asked and (len(asked) > AHEAD * cores.count or asked[0].done()):
                yield from asked.popleft().result()
        while asked:
            yield from asked.popleft().result()


class _Lanes(ThreadPoolExecutor):
    """Threads that ask the network; what nobody waits for any more is not asked."""

    def __exit__(self, *_: object) -> None:
        self.shutdown(cancel_futures=True)


def _batches(outcomes: Iterable[Outcome | None]) -> Iterator[list[Outcome]]:
    """What goes to the network together; empty where nothing comes, but answers may have."""
    waiting: list[Outcome] = []
    most = 1  # whoever looks on should soon see a first row
    for outcome in outcomes:
        if outcome:
            waiting.append(outcome)
        if outcome is None or _is_batch(waiting, most):
            yield waiting
            waiting, most = [], BATCH
    yield waiting


def _is_batch(waiting: list[Outcome], most: int) -> bool:
    with_pixels = sum(1 for outcome in waiting if _has_pixels(outcome))
    return with_pixels == most or len(waiting) == LONGEST_WAIT


def _has_pixels(outcome: Outcome) -> bool:
    return isinstance(outcome, Readout) and outcome.pixels is not None


def _predict(
    outcomes: list[Outcome], model: Model, settings: EngineSettings, cores: Cores
) -> Answered:
    answers = _ask(outcomes, model, cores)
    return [_decide(outcome, answers, model, settings) for outcome in outcomes]


def _ask(
    outcomes: list[Outcome], model: Model, cores: Cores
) -> Iterator[tuple[float, float | None]]:
    pixels = [o.pixels for o in outcomes if isinstance(o, Readout) and o.pixels is not None]
    if not pixels:
        return iter(())
    with cores.for_the_network():
        return _answers(model.backend.run(np.stack(pixels)))


def _answers(answers: Answers) -> Iterator[tuple[float, float | None]]:
    """PFI and chest of one picture after the other."""
    for number, pfi in enumerate(answers.pfi):
        yield float(pfi), None if answers.chest is None else float(answers.chest[number])


def _decide(
    outcome: Outcome,
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
