"""Check the integrity of a study: its files, its log of readings, and the order of events."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.effective import VERDICTS, effective_readings, slot_of
from cxrview.annotate.late_readings import count_late
from cxrview.annotate.replaced_files import ContentCheck, check_content
from cxrview.annotate.revealed import first_revealed
from cxrview.records.annotation import Reading
from cxrview.results.columns import printable
from cxrview.terms import Action, Method, ReadingRound
from cxrview.wording import plural

MIN_ALIKE = 20
"""Number of images below which two readers may well agree on all; our choice."""
_SAME_TIMES = 0.9
"""Share of equal times from which two readers are taken to be one person."""
_CLOCK_SECONDS = 60
"""Error of a browser's clock that is not reported; our choice."""
_ARRIVAL_SECONDS = 60
"""Step back between arrivals that is not reported, as after a correction of the server's clock; our
choice."""
_CLOSING_SECONDS = 2
"""Time in which a server detects that the round was closed from the command line."""

_CHANGES = VERDICTS | {Action.UNDO}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The findings of a check of a study."""

    problems: tuple[str, ...]
    """Errors, a sentence each; without any the study can be published."""
    remarks: tuple[str, ...]
    """Facts that a publication may have to mention, or that should be checked by a person."""
    content: ContentCheck
    acts: int
    """Number of rows in the log of readings."""
    counted: int
    """Number of readings that are not withdrawn."""


def verify_study(
    store: ReadingStore, *, watch: Callable[[int], None] = lambda done: None
) -> Verified:
    """Check the image files, the order and references of the log, and the times of readings.

    Args:
        store: the study.
        watch: called with the number of further files read.
    """
    every = list(store.every_reading())
    counted = list(store.readings())
    content = check_content(store, watch=watch)
    problems = [
        *_files(content),
        *_tables(store),
        *_order(every),
        *_references(store, every),
        *_after_closing(store, counted),
        *_after_reveal(store, counted),
        *(
            f"{pair}, at the same times"
            for pair in _identical_readers(store, counted, same_times=True)
        ),
    ]
    remarks = [
        *_late(store, counted),
        *_clocks(store, every),
        *(
            f"{pair}: are they one person under two names?"
            for pair in _identical_readers(store, counted, same_times=False)
        ),
    ]
    if content.unknown:
        remarks.append(
            plural(content.unknown, "image has", "images have")
            + " no digest in the study, or a URL as path: a replaced file is not detected"
        )
    return Verified(
        problems=tuple(problems),
        remarks=tuple(remarks),
        content=content,
        acts=len(every),
        counted=len(counted),
    )


def _files(content: ContentCheck) -> Iterator[str]:
    for images, what in (
        (content.replaced, "was replaced after the study was created"),
        (content.missing, "cannot be read"),
    ):
        for image in images:
            yield f"the file {printable(image.path)} {what}"


def _tables(store: ReadingStore) -> Iterator[str]:
    for table in sorted(store.unguarded_tables()):
        yield f"the database no longer refuses to change or delete rows of the table {table}"


def _order(every: list[Reading]) -> Iterator[str]:
    """Check that numbers have no gap, and that arrivals are in the same order."""
    last, latest = 0, None
    for reading in every:
        if reading.reading_id != last + 1:
            yield f"acts {last + 1} to {reading.reading_id - 1} are missing from the log"
        last = reading.reading_id
        received = reading.received
        if received is None:
            continue
        if latest and received < latest - timedelta(seconds=_ARRIVAL_SECONDS):
            back = (latest - received).total_seconds()
            yield f"act {last} arrived {back:.0f} s before the one ahead of it"
        latest = received
    for uid, times in Counter(reading.uid for reading in every).items():
        if times > 1:
            yield f"the uid {uid} is {times} times in the log"


def _references(store: ReadingStore, every: list[Reading]) -> Iterator[str]:
    images = {image.image_id for image in store.images()}
    readers = {reader.reader_id for reader in store.readers()}
    labels = {choice.name for choice in store.study.choices}
    by_uid = {reading.uid: reading for reading in every}
    for reading in every:
        name = f"act {reading.reading_id}"
        if reading.image_id not in images:
            yield f"{name} is of an image that is not in the study"
        if reading.reader_id not in readers:
            yield f"{name} is by a reader who is not in the study"
        if reading.act is Action.LABEL and reading.label not in labels:
            yield f"{name} has a label that is not in the study"
        if reading.act is Action.UNDO:
            undone = by_uid.get(reading.undoes)
            if undone is None:
                yield f"{name} undoes an act that is not in the log"
            elif undone.reader_id != reading.reader_id:
                yield f"{name} undoes an act of another reader"
            elif slot_of(undone) != slot_of(reading):
                yield f"{name} undoes an act on another image or of another round"
    for one in store.imports():
        if not every or one.first < 1 or one.last > every[-1].reading_id:
            yield f"import {one.number} names acts that are not in the log"


def _after_closing(store: ReadingStore, counted: list[Reading]) -> Iterator[str]:
    """Find blind actions that cannot have been blind, and second looks that were too early."""
    closed, shown = store.blind_round_closed(), store.readers_shown_opinion()
    limit, grace = store.late_limit(), timedelta(seconds=_CLOSING_SECONDS)
    found: Counter[str] = Counter()
    for reading in counted:
        if reading.received is None:
            continue
        if reading.round is ReadingRound.SECOND_LOOK:
            found["second looks came before the blind round was closed"] += (
                closed is None or reading.received < closed
            )
        elif reading.round is ReadingRound.BLIND and closed is not None:
            seen = shown.get(reading.reader_id)
            after = "blind acts that count came "
            if reading.received > closed + limit + grace:
                found[after + "later than the closing of the blind round allows"] += 1
            elif reading.made > closed + grace:
                found["blind acts that count were made after the blind round was closed"] += 1
            elif seen is not None and reading.received > seen:
                found[after + "after their reader had seen the result of others"] += 1
    for words, times in found.items():
        if times:
            yield f"{times} {words}"


def _after_reveal(store: ReadingStore, counted: list[Reading]) -> Iterator[str]:
    """Find blind verdicts on an image for which the reader had seen the result of others."""
    revealed = first_revealed(store, counted)
    grace = timedelta(seconds=_CLOSING_SECONDS)
    found = 0
    for reading in counted:
        if reading.round is not ReadingRound.BLIND or reading.act not in _CHANGES:
            continue
        when = reading.made if reading.how is Method.IMPORT else reading.received
        seen = revealed.get((reading.reader_id, reading.image_id))
        found += seen is not None and when is not None and when > seen + grace
    if found:
        acts = plural(found, "blind act that counts was", "blind acts that count were")
        yield f"{acts} made after the reader had seen the result of others for the image"


def _late(store: ReadingStore, counted: list[Reading]) -> Iterator[str]:
    names = {reader.reader_id: reader.name for reader in store.readers()}
    for reader_id, count in count_late(counted, store.blind_round_closed()).items():
        acts = f"{count} act{'' if count == 1 else 's'} of {names[reader_id]}"
        yield f"{acts} came after the blind round was closed and count"


def _clocks(store: ReadingStore, every: list[Reading]) -> Iterator[str]:
    """Check browsers' clocks, as measured, or by the minimum time that an action took to arrive."""
    measured: defaultdict[int, list[float]] = defaultdict(list)
    delays: defaultdict[int, list[float]] = defaultdict(list)
    for reading in every:
        if reading.how is Method.IMPORT or reading.received is None:
            continue
        if reading.skew_seconds is not None:
            measured[reading.reader_id].append(reading.skew_seconds)
        else:
            delay = (reading.received - reading.made).total_seconds()
            delays[reading.reader_id].append(delay)
    for reader in store.readers():
        skews = measured[reader.reader_id]
        if skews and (worst := max(skews, key=abs)) and abs(worst) > _CLOCK_SECONDS:
            yield (
                f"the clock of {reader.name}'s browser was off by up to {abs(worst):.0f} s; times "
                "are corrected for it"
            )
        slow = min(delays[reader.reader_id], default=0)
        if slow > _CLOCK_SECONDS:
            yield (
                f"every act of {reader.name} whose clock was not measured came at least "
                f"{slow:.0f} s after it was made: the clock was slow, or all of them waited"
            )


def _identical_readers(
    store: ReadingStore, counted: list[Reading], *, same_times: bool
) -> Iterator[str]:
    """Find pairs of readers who gave the same verdict on all images that both read."""
    names = {reader.reader_id: reader.name for reader in store.readers()}
    said: defaultdict[int, dict[str, Reading]] = defaultdict(dict)
    for (reader_id, image_id, shown_in, occasion), reading in effective_readings(counted).items():
        if shown_in is ReadingRound.BLIND and occasion == 0:
            said[reader_id][image_id] = reading
    for first, second in combinations(sorted(said), 2):
        both = said[first].keys() & said[second].keys()
        pairs = [(said[first][one], said[second][one]) for one in both]
        if len(pairs) < MIN_ALIKE:
            continue
        if any((a.label, a.reason) != (b.label, b.reason) for a, b in pairs):
            continue
        # An import without times has one time for all its readings.
        several = len({a.made for a, _ in pairs}) > len(pairs) / 2
        equal = sum(a.made == b.made for a, b in pairs) / len(pairs)
        if (several and equal >= _SAME_TIMES) is same_times:
            yield (
                f"{names[first]} and {names[second]} gave the same verdict on all {len(pairs)} "
                "images that both read"
            )
