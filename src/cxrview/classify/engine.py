"""The engine: paths in, one prediction or failure each out, in order, in constant memory."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from cxrview.classify.abstain import decide, skip
from cxrview.classify.decode_pool import DecodePool, Outcome
from cxrview.classify.decode_worker import ReadSettings
from cxrview.classify.read_pace import ReadPace
from cxrview.classify.readout import Readout
from cxrview.classify.runtime import BATCH, Model, load_model
from cxrview.records import Answers, Failure, Prediction

LONGEST_WAIT = 4 * BATCH
"""Outcomes after which a batch goes out unfilled: failures and skipped files pass through too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """How the engine runs; the number of workers changes no row."""

    read: ReadSettings = ReadSettings()
    review_band: tuple[float, float] | None = None
    """Lowest and highest PFI, ends included, that go to review; the card's own where None."""
    chest_cutoff: float | None = None
    """Least `chest` of what gets a view, percent; the card's own where None."""
    workers: int | None = None
    """Decode processes; one per core where None."""
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
    workers = settings.workers or available_cores()
    rate = settings.bytes_per_second
    with DecodePool(
        workers,
        settings.read,
        timeout_s=settings.timeout_s,
        pace=ReadPace(rate) if rate else None,
        on_read=settings.on_read,
    ) as pool:
        waiting: list[Outcome] = []
        for outcome in pool.read(paths):
            waiting.append(outcome)
            if _is_batch(waiting):
                yield from _predict(waiting, model, settings)
                waiting.clear()
        yield from _predict(waiting, model, settings)


def available_cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _is_batch(waiting: list[Outcome]) -> bool:
    with_pixels = sum(1 for outcome in waiting if _has_pixels(outcome))
    return with_pixels == BATCH or len(waiting) == LONGEST_WAIT


def _has_pixels(outcome: Outcome) -> bool:
    return isinstance(outcome, Readout) and outcome.pixels is not None


def _predict(
    outcomes: list[Outcome], model: Model, settings: EngineSettings
) -> Iterator[Prediction | Failure]:
    pixels = [o.pixels for o in outcomes if isinstance(o, Readout) and o.pixels is not None]
    answers = _answers(model.backend.run(np.stack(pixels))) if pixels else iter(())
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            yield outcome
        elif outcome.skip_reason:
            yield skip(outcome.instance, outcome.skip_reason, outcome.warnings, model.card)
        else:
            pfi, chest = next(answers)
            yield decide(
                outcome.instance,
                pfi,
                model.card,
                chest=chest,
                review_band=settings.review_band,
                chest_cutoff=settings.chest_cutoff,
                warnings=outcome.warnings,
                is_constant=outcome.is_constant,
            )


def _answers(answers: Answers) -> Iterator[tuple[float, float | None]]:
    """PFI and chest of one picture after the other."""
    for number, pfi in enumerate(answers.pfi):
        yield float(pfi), None if answers.chest is None else float(answers.chest[number])
