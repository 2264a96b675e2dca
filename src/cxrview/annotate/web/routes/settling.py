"""Routes of adjudicators: conflicts, closing the blind round, the second look."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from cxrview.annotate.database.study_log import LATE_SECONDS
from cxrview.annotate.second_look import second_look_order
from cxrview.annotate.web.auth import AdjudicatorLogin, CloserLogin
from cxrview.annotate.web.closing import close_blind_round
from cxrview.annotate.web.shown_items import conflict_item, random_order, second_look_item
from cxrview.annotate.web.state import StudyState
from cxrview.annotate.web.tabs import Tab, holder_of, lease_of
from cxrview.records.annotation import Reader
from cxrview.terms import LabelStatus, ReadingRound, Role
from cxrview.wording import plural

routes = APIRouter(prefix="/api")


class ClosingSent(BaseModel):
    """A request to close the blind round, with the number of readings left that it confirms."""

    even_so: bool = False
    left: Annotated[int, Field(ge=0)] | None = None
    late_minutes: Annotated[float, Field(ge=0, le=24 * 60)] = LATE_SECONDS / 60


@routes.get("/conflict")
def conflict(request: Request, login: AdjudicatorLogin, tab: Tab) -> dict[str, Any]:
    """Return the next conflict: what the readers said, without their names."""
    state: StudyState = request.app.state.study_state
    state.refresh()
    with state.lock:
        waiting = conflicts_for(state, login.reader)
        item = _lease_first(state, login.reader, tab, ReadingRound.ADJUDICATION, waiting)
        if item is None:
            return {"item": None, "left": len(waiting)}
        state.note_opinion_shown(login.reader)
        state.record_reveals(login.reader, [item], ReadingRound.ADJUDICATION)
        told = conflict_item(state, login.reader, state.label_statuses.all()[item])
        return {"item": told, "left": len(waiting)}


@routes.get("/second-look")
def second_look(request: Request, login: AdjudicatorLogin, tab: Tab) -> dict[str, Any]:
    """Return the next label with which the model disagrees, the most surprising first."""
    state: StudyState = request.app.state.study_state
    state.refresh()
    if state.blind_round_closed is None:
        raise HTTPException(409, "The blind round is not closed yet.")
    with state.lock:
        settled = state.label_statuses.all()
        doubts = second_look_order(state.images.values(), settled)
        waiting = [doubt.image_id for doubt in doubts if not doubt.is_looked_at]
        item = _lease_first(state, login.reader, tab, ReadingRound.SECOND_LOOK, waiting)
        if item is None:
            return {"item": None, "left": len(waiting)}
        state.note_opinion_shown(login.reader)
        state.record_reveals(login.reader, [item], ReadingRound.SECOND_LOOK)
        told = second_look_item(state, login.reader, settled[item])
        return {"item": told, "left": len(waiting)}


@routes.post("/close-blind-round", response_model=None)
def close_round(
    request: Request, login: CloserLogin, sent: ClosingSent | None = None
) -> Response | dict[str, bool]:
    """Close the blind round permanently; after that the model's opinions may be seen.

    If readings are left it answers 409 with their number and that of the readers, unless the
    request confirms that number. It gives no counts by reader: by these an adjudicator could
    identify the anonymous readers on the agreement page, and so the sides of a conflict.
    """
    state: StudyState = request.app.state.study_state
    sent = sent or ClosingSent()
    waiting = close_blind_round(
        state,
        request.app.state.settings.clock(),
        even_so_left=sent.left if sent.even_so else None,
        late_seconds=60 * sent.late_minutes,
    )
    if not waiting:
        return {"closed": True}
    left = sum(one.left for one in waiting)
    counts = {"left": left, "readers": len(waiting)}
    count = plural(left, "reading is", "readings are")
    why = f"{count} left, and a closed blind round cannot be opened again."
    return JSONResponse(counts | {"why": why}, 409)


def conflicts_for(state: StudyState, reader: Reader) -> list[str]:
    """Return the images that wait for this adjudicator, in a random order.

    Images that the adjudicator has still to read blind are left out, also those of which only the
    hidden repeat is left.
    """
    waiting = state.label_statuses.conflicts()
    if Role.READER in reader.roles and state.blind_round_closed is None:
        reading_list = state.list_of(reader)
        waiting = {one for one in waiting if reading_list.is_read(one)}
    return sorted(waiting, key=lambda one: random_order(state, one))


def has_conflict(state: StudyState, image_id: str) -> bool:
    """Whether readers differed about an image, whether it has been settled or not."""
    how = state.label_statuses.all()[image_id].how
    return how in (LabelStatus.CONFLICT, LabelStatus.ADJUDICATED, LabelStatus.SECOND_LOOK)


def _lease_first(
    state: StudyState, reader: Reader, tab: str, shown_in: ReadingRound, image_ids: list[str]
) -> str | None:
    """Lease and return the first image that no other adjudicator or tab holds."""
    holder, now = holder_of(reader, tab, shown_in), state.now
    for image_id in image_ids:
        lease = lease_of("", (image_id, shown_in, 0))
        if state.leases.is_free(lease, holder, now):
            state.leases.hold(holder, [lease], now)
            return image_id
    state.leases.hold(holder, [], now)
    return None
