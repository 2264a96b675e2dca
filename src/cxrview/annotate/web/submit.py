"""Validate submitted readings one by one and write them: an invalid one does not block the rest.

The image, the round and the reader follow from the showing id and the login, and are never taken
from the request.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationError

from cxrview.annotate.effective import VERDICTS
from cxrview.annotate.web.state import ShownImage, StudyState
from cxrview.records.annotation import EXCLUSION_REASONS, Reader, Reading
from cxrview.terms import Action, Method, ReadingRound

MOST_AT_ONCE = 1000
_DISPLAY_LETTERS = 1000
_FIRST_YEAR, _LAST_YEAR = 2000, 2200

_Uid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
_Value = bool | int | float | Annotated[str, StringConstraints(max_length=64)] | None


class SubmittedReading(BaseModel):
    """One action as a page sends it."""

    uid: _Uid
    showing: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    act: Action
    label: str = ""
    reason: str = ""
    note: Annotated[str, StringConstraints(max_length=4000)] = ""
    undoes: _Uid | Literal[""] = ""
    how: Literal[Method.SINGLE, Method.GRID, Method.GRID_EXCEPTION] = Method.SINGLE
    shown: AwareDatetime | None = None
    made: AwareDatetime
    milliseconds: Annotated[int, Field(ge=0, le=10**10)] | None = None
    display: dict[Annotated[str, StringConstraints(max_length=32)], _Value] = {}
    skew_seconds: Annotated[float, Field(allow_inf_nan=False)] | None = None


class SubmittedBatch(BaseModel):
    """A batch of submitted readings, which are validated one by one."""

    readings: Annotated[list[dict[str, Any]], Field(max_length=MOST_AT_ONCE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitResult:
    """The outcome of a batch."""

    written: tuple[str, ...]
    """Uids of the readings that are on the disk, written now or before."""
    refused: tuple[tuple[str, str], ...]
    """Uids of the readings that were not written, with the reason."""


class _Refused(Exception):
    """The reason why a reading is not written."""


def submit_readings(state: StudyState, reader: Reader, sent: SubmittedBatch) -> SubmitResult:
    """Write the valid readings of a batch; they are on the disk when this returns.

    A reading that is sent twice is written once.
    """
    new: list[Reading] = []
    written: list[str] = []
    refused: list[tuple[str, str]] = []
    state.refresh()
    state.refresh_log()
    for raw in sent.readings:
        uid = str(raw.get("uid", ""))[:32]
        try:
            if state.owner_of(uid) != reader.reader_id:
                new.append(_reading(state, reader, raw))
            written.append(uid)
        except _Refused as why:
            refused.append((uid, str(why)))
    if new:
        state.writer.write(new)
        state.apply_new_readings()
    return SubmitResult(written=tuple(written), refused=tuple(refused))


def _reading(state: StudyState, reader: Reader, raw: dict[str, Any]) -> Reading:
    try:
        sent = SubmittedReading.model_validate(raw)
    except ValidationError as error:
        fields = {str(part) for one in error.errors() for part in one["loc"][:1]}
        raise _Refused(f"its fields are invalid: {', '.join(sorted(fields))}") from None
    if state.owner_of(sent.uid) is not None:
        raise _Refused("its uid is already used")
    place = state.place_of(reader, sent.showing)
    if place is None:
        raise _Refused("it is of an image that you were not shown")
    _check(state, reader, sent, place)
    image_id, shown_in, occasion = place
    return Reading(
        uid=sent.uid,
        reader_id=reader.reader_id,
        image_id=image_id,
        round=shown_in,
        occasion=occasion,
        act=sent.act,
        label=sent.label if sent.act is Action.LABEL else "",
        reason=sent.reason if sent.act is Action.EXCLUDE else "",
        note=sent.note,
        undoes=sent.undoes if sent.act is Action.UNDO else "",
        how=sent.how,
        shown=_moment(sent.shown) if sent.shown else None,
        made=min(_moment(sent.made), state.time),  # a clock that is fast does not make it later
        milliseconds=sent.milliseconds,
        display=sent.display,
        skew_seconds=sent.skew_seconds,
    )


def _check(state: StudyState, reader: Reader, sent: SubmittedReading, place: ShownImage) -> None:
    labels = {choice.name for choice in state.study.choices}
    if sent.act is Action.LABEL and sent.label not in labels:
        raise _Refused("the study has no such label")
    if sent.act is Action.EXCLUDE and sent.reason not in EXCLUSION_REASONS:
        raise _Refused("its reason is not one of the exclusion reasons")
    if sent.act is Action.UNDO and not sent.undoes:
        raise _Refused("it does not say which reading it undoes")
    if sent.undoes and state.owner_of(sent.undoes) not in (None, reader.reader_id):
        raise _Refused("it undoes a reading of another reader")
    if sent.undoes and state.place_of_reading(sent.undoes) not in (None, place):
        raise _Refused("it undoes a reading of another image or round")
    if sum(len(str(value)) for value in sent.display.values()) > _DISPLAY_LETTERS:
        raise _Refused("its view settings are too long")
    if sent.act in VERDICTS and state.content.is_replaced(state.images[place[0]], state.path_of):
        raise _Refused(
            "the file of this image was replaced after the study was created (tell "
            "the study's administrator)"
        )
    changes = sent.act in VERDICTS or sent.act is Action.UNDO
    if place[1] is ReadingRound.BLIND and changes and state.was_revealed(reader, place[0]):
        raise _Refused("you have seen what other readers say of this image")
    if place[1] is ReadingRound.BLIND and state.blind_round_closed:
        _check_late(state, reader, _moment(sent.made), state.blind_round_closed)
    if place[1] is ReadingRound.SECOND_LOOK and not state.blind_round_closed:
        raise _Refused("the blind round is not closed yet")


def _check_late(state: StudyState, reader: Reader, made: datetime, closed: datetime) -> None:
    """Refuse a reading that may not have been blind, by the server's clock.

    The browser's clock counts only for readings that waited in it when the round was closed, for a
    limited time, and not after the reader has seen what others say.
    """
    if made > closed:
        raise _Refused("the blind round was closed before it was made")
    if state.time > closed + state.late_limit:
        minutes = state.late_limit.total_seconds() / 60
        raise _Refused(f"it came more than {minutes:g} minutes after the blind round was closed")
    if state.was_shown_opinion(reader):
        raise _Refused("it came after you were shown what the model or other readers say")


def _moment(said: datetime) -> datetime:
    if not _FIRST_YEAR <= said.year <= _LAST_YEAR:
        raise _Refused("its time is wrong by many years")
    return said.astimezone(UTC)


def refusals(result: SubmitResult) -> Iterable[dict[str, str]]:
    """Return the refusals as JSON for the page."""
    return [{"uid": uid, "why": why} for uid, why in result.refused]
