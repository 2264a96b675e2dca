"""What a page is told of an image that it shows: what it is judged by, and nothing else."""

from hashlib import blake2b
from typing import Any

from cxrview.annotate.effective import slot_of
from cxrview.annotate.settle import EXCLUDED, settle
from cxrview.annotate.web.state import Place, StudyState
from cxrview.records import Reader, Reading, Settled
from cxrview.terms import Action, ReadingRound


def verdict(reading: Reading) -> str:
    """What a page shows of a verdict: the label, or `excluded: ` and the reason."""
    return reading.label if reading.act is Action.LABEL else f"{EXCLUDED}: {reading.reason}"


def blind_item(room: StudyState, reader: Reader, showing: str, place: Place) -> dict[str, Any]:
    """What a reader is told in the blind round: of the reader's own acts only.

    Args:
        room: the study; whoever calls holds its lock.
        reader: who asks.
        showing: the image's id before this reader.
        place: what it stands for.
    """
    turn = (reader.reader_id, place[0], place[1], place[2])
    put_off = room.standing.postponed.get(turn)
    return {
        "showing": showing,
        "note": put_off.note if put_off else "",
        "flagged": turn in room.standing.flags,
    }


def conflict_item(room: StudyState, reader: Reader, settled: Settled) -> dict[str, Any]:
    """What an adjudicator is told of a conflict: the readings and their notes, not whose."""
    place = (settled.image_id, ReadingRound.ADJUDICATION, 0)
    return {"showing": room.showing_of(reader, place), "sides": _sides(room, settled)}


def second_look_item(room: StudyState, reader: Reader, settled: Settled) -> dict[str, Any]:
    """What an adjudicator is told for the second look: the label and the model's opinion."""
    image = room.images[settled.image_id]
    return {
        "showing": room.showing_of(reader, (settled.image_id, ReadingRound.SECOND_LOOK, 0)),
        "verdict": settled.label,
        "model_view": image.model_view,
        "pfi": image.pfi,
    }


def item_of_reading(room: StudyState, reader: Reader, reading: Reading) -> dict[str, Any]:
    """What was shown when a reading was made, so that an undo can show it again.

    Args:
        room: the study; whoever calls holds its lock.
        reader: whose reading it is.
        reading: one that stands.
    """
    if reading.round is ReadingRound.BLIND:
        place = (reading.image_id, reading.round, reading.occasion)
        return blind_item(room, reader, room.showing_of(reader, place), place)
    if reading.round is ReadingRound.ADJUDICATION:
        return conflict_item(room, reader, room.settlements.all()[reading.image_id])
    others = [r for r in room.standing.of_image(reading.image_id) if slot_of(r) != slot_of(reading)]
    before = settle(room.study, [reading.image_id], others, room.readers)[reading.image_id]
    return second_look_item(room, reader, before)


def lot(room: StudyState, name: str) -> bytes:
    """Draw a place in an order that follows from the study alone."""
    return blake2b(name.encode(), key=room.study.study_id.encode(), digest_size=8).digest()


def _sides(room: StudyState, settled: Settled) -> list[dict[str, str]]:
    blind = [one for one in settled.readings if one.round is ReadingRound.BLIND]
    blind.sort(key=lambda one: lot(room, f"{one.image_id} {one.reader_id}"))
    return [{"verdict": verdict(one), "note": one.note} for one in blind]
