"""What still stands of all that the readers did, once their undos are counted.

Readings are rows that only grow; an undo is one more of them. Order is the order in which they
were written down.
"""

from collections import defaultdict
from collections.abc import Iterable

from cxrview.records import Reading
from cxrview.terms import Action, ReadingRound

ReadingSlot = tuple[int, str, ReadingRound, int]
"""One reader before one image: reader id, image id, round, occasion."""

VERDICTS = frozenset({Action.LABEL, Action.EXCLUDE})
"""The acts that say what an image is."""


def slot_of(reading: Reading) -> ReadingSlot:
    """Before which image, in which round, whose reading it is."""
    return reading.reader_id, reading.image_id, reading.round, reading.occasion


def effective_readings(readings: Iterable[Reading]) -> dict[ReadingSlot, Reading]:
    """Of each turn the last label or exclusion that no undo takes back."""
    return EffectiveReadings(readings).verdicts


def flags(readings: Iterable[Reading]) -> dict[ReadingSlot, Reading]:
    """The flag of each turn that is flagged."""
    return EffectiveReadings(readings).flags


def postponed(readings: Iterable[Reading]) -> dict[ReadingSlot, Reading]:
    """The last postponement of each turn that was put off and has no verdict since."""
    return EffectiveReadings(readings).postponed


class EffectiveReadings:
    """The same, kept up to date while readings come one by one.

    An undo takes back one reading of the same reader, also where it is written down before what it
    takes back, as may happen after an outage. An undo itself cannot be taken back.

    Attributes:
        verdicts: of each turn the last label or exclusion that stands.
        flags: the flag of each turn that is flagged.
        postponed: the last postponement of each turn without a verdict.
    """

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self.verdicts: dict[ReadingSlot, Reading] = {}
        self.flags: dict[ReadingSlot, Reading] = {}
        self.postponed: dict[ReadingSlot, Reading] = {}
        self._acts: defaultdict[ReadingSlot, list[Reading]] = defaultdict(list)
        self._turns: dict[tuple[int, str], ReadingSlot] = {}  # by reader id and uid, for the undos
        self._undone: set[tuple[int, str]] = set()
        self._turns_of: defaultdict[str, set[ReadingSlot]] = defaultdict(set)
        for reading in readings:
            self.take(reading)

    def take(self, reading: Reading) -> None:
        """Count one more reading, the last that was written down."""
        if reading.act is Action.UNDO:
            undone = (reading.reader_id, reading.undoes)
            self._undone.add(undone)
            turn = self._turns.get(undone)
        else:
            turn = slot_of(reading)
            self._turns[reading.reader_id, reading.uid] = turn
            self._acts[turn].append(reading)
            self._turns_of[reading.image_id].add(turn)
        if turn is not None:
            self._look_at(turn)

    def of_image(self, image_id: str) -> tuple[Reading, ...]:
        """Every verdict on one image that stands, of all readers and rounds."""
        turns = self._turns_of.get(image_id, ())
        found = [self.verdicts[turn] for turn in turns if turn in self.verdicts]
        return tuple(sorted(found, key=lambda reading: reading.reading_id))

    def _look_at(self, turn: ReadingSlot) -> None:
        acts = [r for r in self._acts[turn] if (r.reader_id, r.uid) not in self._undone]
        verdict = _last(acts, VERDICTS)
        flag = _last(acts, {Action.FLAG, Action.UNFLAG})
        is_flagged = flag is not None and flag.act is Action.FLAG
        _keep(self.verdicts, turn, verdict)
        _keep(self.flags, turn, flag if is_flagged else None)
        _keep(self.postponed, turn, None if verdict else _last(acts, {Action.POSTPONE}))


def _last(readings: list[Reading], acts: Iterable[Action]) -> Reading | None:
    return next((reading for reading in reversed(readings) if reading.act in acts), None)


def _keep(where: dict[ReadingSlot, Reading], turn: ReadingSlot, reading: Reading | None) -> None:
    if where.get(turn) is reading:
        return
    where.pop(turn, None)  # what comes anew goes to the end
    if reading is not None:
        where[turn] = reading
