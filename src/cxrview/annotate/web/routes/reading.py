"""Routes of the blind round: the next images, and the readings of them."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request

from cxrview.annotate.web.auth import ReaderLogin, SignedIn
from cxrview.annotate.web.shown_items import blind_item, item_of_reading, verdict
from cxrview.annotate.web.state import StudyState
from cxrview.annotate.web.submit import SubmittedBatch, refusals, submit_readings
from cxrview.annotate.web.tabs import Tab, holder_of
from cxrview.records.annotation import Reader, Reading
from cxrview.terms import ReadingRound, Role
from cxrview.web.picture_cache import PictureCache
from cxrview.web.picture_worker import MINMAX

routes = APIRouter(prefix="/api")

Count = Annotated[int, Query(ge=1, le=200)]
Held = Annotated[str, Query(max_length=32_000, pattern=r"^([0-9a-f]{16}(,[0-9a-f]{16})*)?$")]
_AHEAD = 6
"""Pictures rendered ahead of those just returned, in the size and window last requested."""
_THUMBNAIL = 256


@routes.get("/next")
def following(
    request: Request, login: ReaderLogin, tab: Tab, count: Count = 6, held: Held = ""
) -> dict[str, Any]:
    """Return the next images of the reader's list that the tab does not hold already."""
    edge = request.app.state.edges.get(login.reader.reader_id)
    return _following(request, login.reader, tab, count, held, edge)


@routes.get("/grid")
def page_of_grid(
    request: Request, login: ReaderLogin, tab: Tab, count: Count = 60, held: Held = ""
) -> dict[str, Any]:
    """Return the next images for a page of thumbnails."""
    return _following(request, login.reader, tab, count, held, _THUMBNAIL)


@routes.get("/reading/{showing}")
def own_reading(
    request: Request,
    login: ReaderLogin,
    showing: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")],
    tab: Tab,
) -> dict[str, Any]:
    """Return one image of the reader's own list, with the reader's verdict on it.

    The tab holds the image from then on: the one in which it was read, or postponed, holds it as
    long as it is open.

    Raises:
        HTTPException: 404, it is not on the list; 409, the blind round is closed.
    """
    state: StudyState = request.app.state.study_state
    state.refresh()
    if state.blind_round_closed is not None:
        raise HTTPException(409, "The blind round is closed: no more readings are accepted.")
    place = state.place_of(login.reader, showing)
    if place is None or place[1] is not ReadingRound.BLIND:
        raise HTTPException(404, "Image not found.")
    with state.lock:
        slot = (login.reader.reader_id, *place)
        if slot in state.effective.verdicts or slot in state.effective.postponed:
            state.leases.end([showing])
        state.leases.hold(holder_of(login.reader, tab, place[1]), [showing], state.now)
        said = state.effective.verdicts.get(slot)
        item = blind_item(state, login.reader, showing, place)
        return item | {"said": verdict(said), "note": said.note} if said else item


@routes.post("/readings")
def post_readings(request: Request, login: SignedIn, sent: SubmittedBatch) -> dict[str, Any]:
    """Write readings; those that are returned as written are on the disk."""
    state: StudyState = request.app.state.study_state
    result = submit_readings(state, login.reader, sent)
    return {
        "written": result.written,
        "refused": refusals(result),
        "closed": state.blind_round_closed is not None,
        **counts(state, login.reader),
    }


@routes.get("/recent")
def recent(
    request: Request,
    login: SignedIn,
    shown_in: Annotated[ReadingRound, Query(alias="round")] = ReadingRound.BLIND,
) -> dict[str, Any]:
    """Return the reader's last effective readings, for an undo after the page was reloaded.

    Each has everything that the image was shown with, since an undo shows it again.
    """
    state: StudyState = request.app.state.study_state
    state.refresh()
    with state.lock:
        readings = state.recent(login.reader, shown_in)
        return {"items": [_recent(state, login.reader, reading) for reading in readings]}


def counts(state: StudyState, reader: Reader) -> dict[str, int]:
    """Return how much of the reader's blind list is read."""
    if Role.READER not in reader.roles:
        return {"left": 0, "done": 0, "all": 0}
    reading_list = state.list_of(reader)
    return {"left": reading_list.left, "done": reading_list.done, "all": len(reading_list)}


def _following(
    request: Request, reader: Reader, tab: str, count: int, held: str, edge: int | None
) -> dict[str, Any]:
    state: StudyState = request.app.state.study_state
    state.refresh()
    reading_list = state.list_of(reader)
    holder, has = holder_of(reader, tab, ReadingRound.BLIND), set(filter(None, held.split(",")))
    with state.lock:
        now = state.now
        state.leases.hold(holder, (one for one in has if reading_list.find(one)), now)
        lost = sorted(one for one in has if not state.leases.is_free(one, holder, now))
        if state.blind_round_closed:
            return {"items": [], "lost": lost, "closed": True, **counts(state, reader)}
        items = reading_list.following(
            count + _AHEAD,
            lambda one: one not in has and state.leases.is_free(one, holder, now),
        )
        shown_now = items[:count]
        state.leases.hold(holder, (one.showing_id for one in shown_now), now)
        paths = [state.path_of(one.image_id) for one in items]
        shown = [
            blind_item(
                state, reader, one.showing_id, (one.image_id, ReadingRound.BLIND, one.occasion)
            )
            for one in shown_now
        ]
    if edge is not None:
        pictures: PictureCache = request.app.state.pictures
        window = request.app.state.windows.get(reader.reader_id, MINMAX)
        pictures.prefetch(paths, edge, window)
    return {"items": shown, "lost": lost, **counts(state, reader)}


def _recent(state: StudyState, reader: Reader, reading: Reading) -> dict[str, Any]:
    return item_of_reading(state, reader, reading) | {
        "uid": reading.uid,
        "act": reading.act,
        "said": verdict(reading),
        "note": reading.note,
        "how": reading.how,
        "made": reading.made.isoformat(),
    }
