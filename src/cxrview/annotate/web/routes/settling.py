"""The routes of those who settle: conflicts, the end of the blind round, the second look."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from cxrview.annotate.database.study_log import LATE_SECONDS
from cxrview.annotate.second_look import second_look_order
from cxrview.annotate.web.auth import Adjudicating, Closing
from cxrview.annotate.web.closing import close_blind_round
from cxrview.annotate.web.shown_items import conflict_item, lot, second_look_item
from cxrview.annotate.web.state import StudyState
from cxrview.annotate.web.tabs import Tab, holder_of, lease_of
from cxrview.records import Reader
from cxrview.terms import LabelStatus, ReadingRound, Role
from cxrview.wording import plural

routes = APIRouter(prefix="/api")


class ClosingSent(BaseModel):
    """What whoever closes the blind round has been told, and says to it."""

    even_so: bool = False
    left: Annotated[int, Field(ge=0)] | None = None
    late_minutes: Annotated[float, Field(ge=0, le=24 * 60)] = LATE_SECONDS / 60


@routes.get("/conflict")
def conflict(request: Request, login: Adjudicating, tab: Tab) -> dict[str, Any]:
    """Tell the next image that readers differ about: what they said, and not who."""
    room: StudyState = request.app.state.room
    room.look()
    with room.lock:
        waiting = conflicts_for(room, login.reader)
        item = _lease_first(room, login.reader, tab, ReadingRound.ADJUDICATION, waiting)
        if item is None:
            return {"item": None, "left": len(waiting)}
        room.note_opinion_shown(login.reader)
        room.record_reveals(login.reader, [item], ReadingRound.ADJUDICATION)
        told = conflict_item(room, login.reader, room.settlements.all()[item])
        return {"item": told, "left": len(waiting)}


@routes.get("/second-look")
def second_look(request: Request, login: Adjudicating, tab: Tab) -> dict[str, Any]:
    """Tell the next label that the model does not share, the most surprising first."""
    room: StudyState = request.app.state.room
    room.look()
    if room.blind_round_closed is None:
        raise HTTPException(409, "The blind round is not closed yet.")
    with room.lock:
        settled = room.settlements.all()
        doubts = second_look_order(room.images.values(), settled)
        waiting = [doubt.image_id for doubt in doubts if not doubt.is_looked_at]
        item = _lease_first(room, login.reader, tab, ReadingRound.SECOND_LOOK, waiting)
        if item is None:
            return {"item": None, "left": len(waiting)}
        room.note_opinion_shown(login.reader)
        room.record_reveals(login.reader, [item], ReadingRound.SECOND_LOOK)
        told = second_look_item(room, login.reader, settled[item])
        return {"item": told, "left": len(waiting)}


@routes.post("/close-blind-round", response_model=None)
def close_round(
    request: Request, login: Closing, sent: ClosingSent | None = None
) -> Response | dict[str, bool]:
    """Close the blind round for good; after that the model's opinions may be seen.

    With readings left it answers 409 and how many of how many readers, unless `even_so` says that
    number. It names nobody: an adjudicator would know by the counts who is which of the readers
    without a name on the agreement page, and so whose a side of a conflict is.
    """
    room: StudyState = request.app.state.room
    sent = sent or ClosingSent()
    waiting = close_blind_round(
        room,
        request.app.state.settings.clock(),
        even_so_left=sent.left if sent.even_so else None,
        late_seconds=60 * sent.late_minutes,
    )
    if not waiting:
        return {"closed": True}
    left = sum(one.left for one in waiting)
    told = {"left": left, "readers": len(waiting)}
    why = (
        f"{plural(left, 'reading is', 'readings are')} left, and a closed blind round stays closed."
    )
    return JSONResponse(told | {"why": why}, 409)


def conflicts_for(room: StudyState, reader: Reader) -> list[str]:
    """Give the images that wait for this adjudicator, in an order drawn by hash.

    Not among them is what he has still to read blind himself, a hidden repeat being that too.
    """
    open_for_him = room.settlements.conflicts()
    if Role.READER in reader.roles and room.blind_round_closed is None:
        reading_list = room.list_of(reader)
        open_for_him = {one for one in open_for_him if reading_list.is_read(one)}
    return sorted(open_for_him, key=lambda one: lot(room, one))


def has_conflict(room: StudyState, image_id: str) -> bool:
    """Whether readers differed about an image, be it settled since or not."""
    how = room.settlements.all()[image_id].how
    return how in (LabelStatus.CONFLICT, LabelStatus.ADJUDICATED, LabelStatus.SECOND_LOOK)


def _lease_first(
    room: StudyState, reader: Reader, tab: str, shown_in: ReadingRound, image_ids: list[str]
) -> str | None:
    """Take the first that no other adjudicator, nor another tab of this one, has before him."""
    holder, now = holder_of(reader, tab, shown_in), room.now
    for image_id in image_ids:
        lease = lease_of("", (image_id, shown_in, 0))
        if room.leases.is_free(lease, holder, now):
            room.leases.hold(holder, [lease], now)
            return image_id
    room.leases.hold(holder, [], now)
    return None
