"""What a browser sends, checked one by one and written down: a bad one must not hold up the rest.

Nothing is taken on trust but what only the reader can know: the image, the round and the reader
follow from showing and login.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationError

from cxrview.annotate.effective import VERDICTS
from cxrview.annotate.web.state import Place, StudyState
from cxrview.records import EXCLUSION_REASONS, Reader, Reading
from cxrview.terms import Action, Method, ReadingRound

MOST_AT_ONCE = 1000
_DISPLAY_LETTERS = 1000
_FIRST_YEAR, _LAST_YEAR = 2000, 2200

_Uid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
_Value = bool | int | float | Annotated[str, StringConstraints(max_length=64)] | None


class Sent(BaseModel):
    """One act as a page sends it."""

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


class SentReadings(BaseModel):
    """A batch of them; each is looked at by itself."""

    readings: Annotated[list[dict[str, Any]], Field(max_length=MOST_AT_ONCE)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a batch."""

    written: tuple[str, ...]
    """Uids that are on the disk, now or since before."""
    refused: tuple[tuple[str, str], ...]
    """Uids, and why nothing was written of them."""


class _Refused(Exception):
    """Why one is not written."""


def take_in(room: StudyState, reader: Reader, sent: SentReadings) -> Taken:
    """Write down what a reader sends; it is on the disk when this returns.

    Sent twice it is written once.
    """
    new: list[Reading] = []
    written: list[str] = []
    refused: list[tuple[str, str]] = []
    room.look()
    room.look_at_log()
    for raw in sent.readings:
        uid = str(raw.get("uid", ""))[:32]
        try:
            if room.owner_of(uid) != reader.reader_id:
                new.append(_reading(room, reader, raw))
            written.append(uid)
        except _Refused as why:
            refused.append((uid, str(why)))
    if new:
        room.pen.write(new)
        room.catch_up()
    return Taken(written=tuple(written), refused=tuple(refused))


def _reading(room: StudyState, reader: Reader, raw: dict[str, Any]) -> Reading:
    try:
        sent = Sent.model_validate(raw)
    except ValidationError as error:
        fields = {str(part) for one in error.errors() for part in one["loc"][:1]}
        raise _Refused(f"it makes no sense: {', '.join(sorted(fields))}") from None
    if room.owner_of(sent.uid) is not None:
        raise _Refused("its number is taken")
    place = room.place_of(reader, sent.showing)
    if place is None:
        raise _Refused("it is of no image that you were shown")
    _check(room, reader, sent, place)
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
        made=min(_moment(sent.made), room.time),  # a clock that is ahead makes nothing later
        milliseconds=sent.milliseconds,
        display=sent.display,
        skew_seconds=sent.skew_seconds,
    )


def _check(room: StudyState, reader: Reader, sent: Sent, place: Place) -> None:
    labels = {choice.name for choice in room.study.choices}
    if sent.act is Action.LABEL and sent.label not in labels:
        raise _Refused("the study has no such label")
    if sent.act is Action.EXCLUDE and sent.reason not in EXCLUSION_REASONS:
        raise _Refused("that is no reason for an exclusion")
    if sent.act is Action.UNDO and not sent.undoes:
        raise _Refused("it does not say what it takes back")
    if sent.undoes and room.owner_of(sent.undoes) not in (None, reader.reader_id):
        raise _Refused("what it takes back is another reader's")
    if sum(len(str(value)) for value in sent.display.values()) > _DISPLAY_LETTERS:
        raise _Refused("its view settings are too long")
    if sent.act in VERDICTS and room.content.is_replaced(room.images[place[0]], room.path_of):
        raise _Refused(
            "the file of this image was replaced after the study was created (tell "
            "the study's administrator)"
        )
    changes = sent.act in VERDICTS or sent.act is Action.UNDO
    if place[1] is ReadingRound.BLIND and changes and room.was_revealed(reader, place[0]):
        raise _Refused("you have seen since what other readers say of this image")
    if place[1] is ReadingRound.BLIND and room.blind_round_closed:
        _check_late(room, reader, _moment(sent.made), room.blind_round_closed)
    if place[1] is ReadingRound.SECOND_LOOK and not room.blind_round_closed:
        raise _Refused("the blind round is not closed yet")


def _check_late(room: StudyState, reader: Reader, made: datetime, closed: datetime) -> None:
    """Refuse what cannot be known to have been read blind: the server's clock decides.

    What a browser says of its own clock counts only for what waited in it when the round was
    closed, for a bounded time, and not after the reader has seen what others say.
    """
    if made > closed:
        raise _Refused("the blind round was closed before it was made")
    if room.time > closed + room.late_limit:
        minutes = room.late_limit.total_seconds() / 60
        raise _Refused(f"it came more than {minutes:g} minutes after the blind round was closed")
    if room.was_shown_opinion(reader):
        raise _Refused("it came after you were shown what the model or other readers say")


def _moment(said: datetime) -> datetime:
    if not _FIRST_YEAR <= said.year <= _LAST_YEAR:
        raise _Refused("its clock is wrong by many years")
    return said.astimezone(UTC)


def refusals(taken: Taken) -> Iterable[dict[str, str]]:
    """As the page is told."""
    return [{"uid": uid, "why": why} for uid, why in taken.refused]
