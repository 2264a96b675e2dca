"""Agreement between readers, within readers on the hidden repeats, and their reading rates.

An exclusion is one more class, `excluded`, whatever its reason.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import median
from typing import Any

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.effective import VERDICTS, effective_readings
from cxrview.annotate.late_readings import count_late
from cxrview.annotate.settle import EXCLUDED, verdict_of
from cxrview.records.annotation import AnnotationStudy, Kappa, Reader, Reading
from cxrview.stats import cohen_kappa
from cxrview.terms import Method, ReadingRound, Role

_Verdicts = dict[tuple[int, int], dict[str, str]]
"""By reader id and occasion, the verdict on each image id."""


def between_readers(
    study: AnnotationStudy, readings: Iterable[Reading], readers: Iterable[Reader]
) -> dict[tuple[int, int], Kappa]:
    """Return the kappa of every pair of readers on the images that both read blind, by reader ids.

    Adjudications do not count. Pairs without a common image are left out.

    Args:
        study: has the order of the labels.
        readings: all of the study, or the effective ones.
        readers: all of the study.
    """
    verdicts = _verdicts(readings)
    ids = sorted(reader.reader_id for reader in readers if Role.READER in reader.roles)
    pairs = {
        pair: _kappa(study, verdicts[pair[0], 0], verdicts[pair[1], 0])
        for pair in combinations(ids, 2)
    }
    return {pair: kappa for pair, kappa in pairs.items() if kappa is not None}


def within_readers(
    study: AnnotationStudy, readings: Iterable[Reading], readers: Iterable[Reader]
) -> dict[int, Kappa]:
    """Return the kappa of first and second readings of the hidden repeats, by reader id.

    Readers who read no image twice are left out. The arguments are those of `between_readers`.
    """
    verdicts = _verdicts(readings)
    ids = sorted(reader.reader_id for reader in readers if Role.READER in reader.roles)
    own = {
        reader_id: _kappa(study, verdicts[reader_id, 0], verdicts[reader_id, 1])
        for reader_id in ids
    }
    return {reader_id: kappa for reader_id, kappa in own.items() if kappa is not None}


def write_kappa(value: float) -> str:
    """Write a kappa with three decimals; -0.0001 becomes 0.000."""
    return f"{round(value, 3) + 0.0:.3f}"


def _verdicts(readings: Iterable[Reading]) -> _Verdicts:
    verdicts: _Verdicts = defaultdict(dict)
    for reading in effective_readings(readings).values():
        if reading.round is ReadingRound.BLIND:
            verdicts[reading.reader_id, reading.occasion][reading.image_id] = verdict_of(reading)
    return verdicts


def _kappa(study: AnnotationStudy, first: dict[str, str], second: dict[str, str]) -> Kappa | None:
    both = [image_id for image_id in first if image_id in second]
    if not both:
        return None
    labels = list(dict.fromkeys([*(choice.name for choice in study.choices), EXCLUDED]))
    return cohen_kappa(
        [first[i] for i in both], [second[i] for i in both], labels=labels, seed=study.seed
    )


PAUSE_SECONDS = 60
"""A longer gap between two readings is a pause and not counted as work; our choice."""
_GRID = frozenset({Method.GRID, Method.GRID_EXCEPTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRate:
    """The reading rate of a reader by one method: single images, or pages of thumbnails."""

    readings: int = 0
    """Effective labels and exclusions, including hidden repeats."""
    active_seconds: float = 0
    """Time spent without pauses; it includes readings that were undone."""
    images_per_hour: float | None = None
    """Effective readings per hour of that time; None if no times are known."""
    median_milliseconds: float | None = None
    """From the display of an image to the key, measured by the browser; None if not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderRates:
    """The reading rates of a reader, for single images and for pages of thumbnails."""

    single: ReadingRate
    grid: ReadingRate


def reading_rates(
    readings: Iterable[Reading], shown_in: ReadingRound = ReadingRound.BLIND
) -> dict[int, ReaderRates]:
    """Return the rates of all readers with readings, by reader id; imports do not count.

    A single reading lasts from the reading before it, of any method, to its own key. The first one,
    and one after a pause, lasts the milliseconds that the browser measured, if any. A reading on a
    page of thumbnails lasts its share of the page's time.

    Args:
        readings: all of the study, since readings that were undone took time, too.
        shown_in: the round to count.
    """
    every = list(readings)
    made = [
        r for r in every if r.round is shown_in and r.act in VERDICTS and r.how is not Method.IMPORT
    ]
    effective = {(r.reader_id, r.uid) for r in effective_readings(every).values()}
    of: defaultdict[int, list[Reading]] = defaultdict(list)
    for reading in sorted(made, key=lambda r: (r.made, r.reading_id)):
        of[reading.reader_id].append(reading)
    return {reader_id: _reader_rates(mine, effective) for reader_id, mine in sorted(of.items())}


def _reader_rates(mine: list[Reading], effective: set[tuple[int, str]]) -> ReaderRates:
    seconds = _seconds(mine)
    single, grid = (
        [(r, t) for r, t in zip(mine, seconds, strict=True) if (r.how in _GRID) is is_grid]
        for is_grid in (False, True)
    )
    return ReaderRates(single=_rate(single, effective), grid=_rate(grid, effective))


def _seconds(mine: list[Reading]) -> list[float | None]:
    """Return the seconds of each reading, in order of time; None if they are not known."""
    seconds: list[float | None] = []
    before = None
    for reading in mine:
        measured = None if reading.milliseconds is None else reading.milliseconds / 1000
        gap = None if before is None else (reading.made - before).total_seconds()
        is_work = reading.how not in _GRID and gap is not None and gap <= PAUSE_SECONDS
        seconds.append(gap if is_work else measured)
        before = reading.made
    return [None if s is not None and s > PAUSE_SECONDS else s for s in seconds]


def _rate(
    taken: list[tuple[Reading, float | None]], effective: set[tuple[int, str]]
) -> ReadingRate:
    kept = [(r, t) for r, t in taken if (r.reader_id, r.uid) in effective]
    active = sum(t for _, t in taken if t is not None)
    timed = sum(t is not None for _, t in kept)
    measured = [r.milliseconds for r, _ in kept if r.milliseconds is not None]
    return ReadingRate(
        readings=len(kept),
        active_seconds=active,
        images_per_hour=3600 * timed / active if active else None,
        median_milliseconds=median(measured) if measured else None,
    )


Json = dict[str, Any]


def agreement_of(store: ReadingStore) -> Json:
    """Return kappa between and within readers, and the reading rate of each reader, as JSON.

    Returns:
        `study`; `between`, for each pair of readers `first`, `second` and the fields of `Kappa`;
        `within`, for each reader of hidden repeats `reader` and the same fields; `pace`, for each
        reader with readings made in cxrview `reader` and the fields of `ReaderRates` for `single`
        and `grid`; `late`, for each reader with late readings `reader` and their number `acts`.
    """
    readers, readings = store.readers(), list(store.readings())
    names = {reader.reader_id: reader.name for reader in readers}
    between = between_readers(store.study, readings, readers)
    within = within_readers(store.study, readings, readers)
    late = count_late(readings, store.blind_round_closed())
    return {
        "study": store.study.name,
        "between": [
            {"first": names[a], "second": names[b], **asdict(kappa)}
            for (a, b), kappa in between.items()
        ],
        "within": [{"reader": names[a], **asdict(kappa)} for a, kappa in within.items()],
        "pace": [{"reader": names[a], **asdict(of)} for a, of in reading_rates(readings).items()],
        "late": [{"reader": names[a], "acts": n} for a, n in late.items()],
    }
