"""The JSON of an image that a page shows: only what the reader may know in that round."""

from hashlib import blake2b
from typing import Any

from cxrview.annotate.effective import slot_of
from cxrview.annotate.settle import EXCLUDED, settle
from cxrview.annotate.web.state import ShownImage, StudyState
from cxrview.records.annotation import Reader, Reading, Settled
from cxrview.terms import Action, ReadingRound


def verdict(reading: Reading) -> str:
    """Return a verdict in words: the label, or `excluded: ` and the reason."""
    return reading.label if reading.act is Action.LABEL else f"{EXCLUDED}: {reading.reason}"


def blind_item(
    state: StudyState, reader: Reader, showing: str, place: ShownImage
) -> dict[str, Any]:
    """Return an image of the blind round, with the reader's own note and flag only.

    Args:
        state: the served study; the caller holds its lock.
        reader: the one who reads.
        showing: the showing id of the image for this reader.
        place: what the showing id stands for.
    """
    slot = (reader.reader_id, place[0], place[1], place[2])
    postponed = state.effective.postponed.get(slot)
    return {
        "showing": showing,
        "note": postponed.note if postponed else "",
        "flagged": slot in state.effective.flags,
    }


def conflict_item(state: StudyState, reader: Reader, settled: Settled) -> dict[str, Any]:
    """Return a conflict: the readings and their notes, without the readers."""
    place = (settled.image_id, ReadingRound.ADJUDICATION, 0)
    return {"showing": state.showing_of(reader, place), "sides": _sides(state, settled)}


def second_look_item(state: StudyState, reader: Reader, settled: Settled) -> dict[str, Any]:
    """Return an image of the second look: the label and the model's opinion."""
    image = state.images[settled.image_id]
    return {
        "showing": state.showing_of(reader, (settled.image_id, ReadingRound.SECOND_LOOK, 0)),
        "verdict": settled.label,
        "model_view": image.model_view,
        "pfi": image.pfi,
    }


def item_of_reading(state: StudyState, reader: Reader, reading: Reading) -> dict[str, Any]:
    """Return what was shown when a reading was made, so that an undo can show it again.

    Args:
        state: the served study; the caller holds its lock.
        reader: the one who made the reading.
        reading: an effective reading.
    """
    if reading.round is ReadingRound.BLIND:
        place = (reading.image_id, reading.round, reading.occasion)
        return blind_item(state, reader, state.showing_of(reader, place), place)
    if reading.round is ReadingRound.ADJUDICATION:
        return conflict_item(state, reader, state.label_statuses.all()[reading.image_id])
    others = [
        r for r in state.effective.of_image(reading.image_id) if slot_of(r) != slot_of(reading)
    ]
    before = settle(state.study, [reading.image_id], others, state.readers)[reading.image_id]
    return second_look_item(state, reader, before)


def random_order(state: StudyState, name: str) -> bytes:
    """Return a sort key for a random order that is the same for the whole study."""
    return blake2b(name.encode(), key=state.study.study_id.encode(), digest_size=8).digest()


def _sides(state: StudyState, settled: Settled) -> list[dict[str, str]]:
    blind = [one for one in settled.readings if one.round is ReadingRound.BLIND]
    blind.sort(key=lambda one: random_order(state, f"{one.image_id} {one.reader_id}"))
    return [{"verdict": verdict(one), "note": one.note} for one in blind]
