"""How quickly a reader works, from the times at which the readings were made."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from cxrview.annotate.effective import VERDICTS, standing
from cxrview.records import Reading
from cxrview.terms import How, Round

PAUSE_SECONDS = 60
"""A longer gap between two readings is a pause and no work; ours."""
_GRID = frozenset({How.GRID, How.GRID_EXCEPTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """A reader's pace by one means: image by image, or on pages of thumbnails."""

    readings: int = 0
    """Labels and exclusions that stand, hidden repeats too."""
    active_seconds: float = 0
    """Time that was spent at it, pauses left out; readings that were taken back took time too."""
    images_per_hour: float | None = None
    """Readings that stand an hour of that time; None where nobody knows the time of one."""
    median_milliseconds: float | None = None
    """From picture to key, as the browser measured it; None where it measured none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderPace:
    """A reader's pace, image by image and on pages of thumbnails apart."""

    single: Pace
    grid: Pace


def pace(readings: Iterable[Reading], shown_in: Round = Round.BLIND) -> dict[int, ReaderPace]:
    """The pace of each reader who has read something, by reader id; imports do not count.

    A single reading takes from the one before it, by whatever means, to its own key. After a
    pause, or as the first, it takes the milliseconds that the browser measured, if any. A reading
    on a page of thumbnails takes its share of the page's time.

    Args:
        readings: all of the study, since those that were taken back took time as well.
        shown_in: the round that is asked about.
    """
    every = list(readings)
    made = [
        r for r in every if r.round is shown_in and r.act in VERDICTS and r.how is not How.IMPORT
    ]
    stand = {(r.reader_id, r.uid) for r in standing(every).values()}
    of: defaultdict[int, list[Reading]] = defaultdict(list)
    for reading in sorted(made, key=lambda r: (r.made, r.reading_id)):
        of[reading.reader_id].append(reading)
    return {reader_id: _reader_pace(mine, stand) for reader_id, mine in sorted(of.items())}


def _reader_pace(mine: list[Reading], stand: set[tuple[int, str]]) -> ReaderPace:
    seconds = _seconds(mine)
    single, grid = (
        [(r, t) for r, t in zip(mine, seconds, strict=True) if (r.how in _GRID) is is_grid]
        for is_grid in (False, True)
    )
    return ReaderPace(single=_pace(single, stand), grid=_pace(grid, stand))


def _seconds(mine: list[Reading]) -> list[float | None]:
    """What each took, in order of time; None where nobody knows."""
    seconds: list[float | None] = []
    before = None
    for reading in mine:
        measured = None if reading.milliseconds is None else reading.milliseconds / 1000
        gap = None if before is None else (reading.made - before).total_seconds()
        is_work = reading.how not in _GRID and gap is not None and gap <= PAUSE_SECONDS
        seconds.append(gap if is_work else measured)
        before = reading.made
    return [None if s is not None and s > PAUSE_SECONDS else s for s in seconds]


def _pace(taken: list[tuple[Reading, float | None]], stand: set[tuple[int, str]]) -> Pace:
    kept = [(r, t) for r, t in taken if (r.reader_id, r.uid) in stand]
    active = sum(t for _, t in taken if t is not None)
    timed = sum(t is not None for _, t in kept)
    measured = [r.milliseconds for r, _ in kept if r.milliseconds is not None]
    return Pace(
        readings=len(kept),
        active_seconds=active,
        images_per_hour=3600 * timed / active if active else None,
        median_milliseconds=median(measured) if measured else None,
    )
