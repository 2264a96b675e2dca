"""Effective readings: the labels, exclusions, flags and postponements that no undo has reversed.

Readings are append-only rows; an undo is one more row. Their order is that in which they were
written.
"""

from collections import defaultdict
from collections.abc import Iterable

from cxrview.records.annotation import Reading
from cxrview.terms import Action, ReadingRound

ReadingSlot = tuple[int, str, ReadingRound, int]
"""One image shown to one reader: reader id, image id, round, occasion."""

VERDICTS = frozenset({Action.LABEL, Action.EXCLUDE})
"""The actions that say what an image is."""


def slot_of(reading: Reading) -> ReadingSlot:
    """Return the slot that a reading belongs to."""
    return reading.reader_id, reading.image_id, reading.round, reading.occasion


def effective_readings(readings: Iterable[Reading]) -> dict[ReadingSlot, Reading]:
    """Return the last label or exclusion of each slot that no undo has reversed."""
    return EffectiveReadings(readings).verdicts


class EffectiveReadings:
    """The effective readings of a study, updated as readings are appended one by one.

    An undo reverses one reading of the same reader, image, round and occasion. After an outage it
    may be written before that reading. An undo itself cannot be undone.

    Attributes:
        verdicts: for each slot, the last label or exclusion that is not undone.
        flags: for each flagged slot, its flag.
        postponed: for each postponed slot without a verdict, its last postponement.
    """

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self.verdicts: dict[ReadingSlot, Reading] = {}
        self.flags: dict[ReadingSlot, Reading] = {}
        self.postponed: dict[ReadingSlot, Reading] = {}
        self._actions: defaultdict[ReadingSlot, list[Reading]] = defaultdict(list)
        self._undone: set[tuple[ReadingSlot, str]] = set()  # by slot and uid
        self._slots_of_image: defaultdict[str, set[ReadingSlot]] = defaultdict(set)
        for reading in readings:
            self.add(reading)

    def add(self, reading: Reading) -> None:
        """Add one reading, written after all that were added before."""
        slot = slot_of(reading)
        if reading.act is Action.UNDO:
            self._undone.add((slot, reading.undoes))
        else:
            self._actions[slot].append(reading)
            self._slots_of_image[reading.image_id].add(slot)
        self._update(slot)

    def of_image(self, image_id: str) -> tuple[Reading, ...]:
        """Return the effective verdicts on one image, of all readers and rounds, in order."""
        slots = self._slots_of_image.get(image_id, ())
        found = [self.verdicts[slot] for slot in slots if slot in self.verdicts]
        return tuple(sorted(found, key=lambda reading: reading.reading_id))

    def _update(self, slot: ReadingSlot) -> None:
        actions = [one for one in self._actions[slot] if (slot, one.uid) not in self._undone]
        verdict = _last(actions, VERDICTS)
        flag = _last(actions, {Action.FLAG, Action.UNFLAG})
        is_flagged = flag is not None and flag.act is Action.FLAG
        _set(self.verdicts, slot, verdict)
        _set(self.flags, slot, flag if is_flagged else None)
        _set(self.postponed, slot, None if verdict else _last(actions, {Action.POSTPONE}))


def _last(readings: list[Reading], actions: Iterable[Action]) -> Reading | None:
    return next((reading for reading in reversed(readings) if reading.act in actions), None)


def _set(where: dict[ReadingSlot, Reading], slot: ReadingSlot, reading: Reading | None) -> None:
    if where.get(slot) is reading:
        return
    where.pop(slot, None)  # so that a new entry is the last one of the dictionary
    if reading is not None:
        where[slot] = reading
