"""The routes of the blind round: what comes next, and what was said of it."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request

from cxrview.annotate.web.auth import Reading, SignedIn
from cxrview.annotate.web.picture_worker import MINMAX
from cxrview.annotate.web.pictures import Pictures
from cxrview.annotate.web.shown_items import blind_item, item_of_reading, verdict
from cxrview.annotate.web.state import StudyState
from cxrview.annotate.web.submit import SentReadings, refusals, take_in
from cxrview.annotate.web.tabs import Tab, holder_of
from cxrview.records import Reader
from cxrview.records import Reading as ReadingRecord
from cxrview.terms import ReadingRound, Role

routes = APIRouter(prefix="/api")

Count = Annotated[int, Query(ge=1, le=200)]
Held = Annotated[str, Query(max_length=32_000, pattern=r"^([0-9a-f]{16}(,[0-9a-f]{16})*)?$")]
_AHEAD = 6
"""Pictures made ahead of those that were just told of, at the size and window last asked for."""
_THUMBNAIL = 256


@routes.get("/next")
def following(
    request: Request, login: Reading, tab: Tab, count: Count = 6, held: Held = ""
) -> dict[str, Any]:
    """Tell what comes next on the reader's list, apart from what the tab holds already."""
    edge = request.app.state.edges.get(login.reader.reader_id)
    return _following(request, login.reader, tab, count, held, edge)


@routes.get("/grid")
def page_of_grid(
    request: Request, login: Reading, tab: Tab, count: Count = 60, held: Held = ""
) -> dict[str, Any]:
    """Tell the same for a page of thumbnails."""
    return _following(request, login.reader, tab, count, held, _THUMBNAIL)


@routes.get("/reading/{showing}")
def own_reading(
    request: Request,
    login: Reading,
    showing: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")],
) -> dict[str, Any]:
    """Tell one image of the reader's own list again, with what the reader said of it.

    Raises:
        HTTPException: 404, it is not on the list; 409, the blind round is closed.
    """
    room: StudyState = request.app.state.room
    room.look()
    if room.blind_round_closed is not None:
        raise HTTPException(409, "The blind round is closed: no more readings are taken.")
    place = room.place_of(login.reader, showing)
    if place is None or place[1] is not ReadingRound.BLIND:
        raise HTTPException(404, "There is no such image.")
    with room.lock:
        said = room.standing.verdicts.get((login.reader.reader_id, *place))
        item = blind_item(room, login.reader, showing, place)
        return item | {"said": verdict(said), "note": said.note} if said else item


@routes.post("/readings")
def write_down(request: Request, login: SignedIn, sent: SentReadings) -> dict[str, Any]:
    """Write readings down. What is told as written is on the disk."""
    room: StudyState = request.app.state.room
    taken = take_in(room, login.reader, sent)
    return {
        "written": taken.written,
        "refused": refusals(taken),
        "closed": room.blind_round_closed is not None,
        **counts(room, login.reader),
    }


@routes.get("/recent")
def recent(
    request: Request,
    login: SignedIn,
    shown_in: Annotated[ReadingRound, Query(alias="round")] = ReadingRound.BLIND,
) -> dict[str, Any]:
    """Tell the reader's last readings that stand, for an undo after the page was loaded anew.

    Each has all that the image was shown with, since an undo shows it again.
    """
    room: StudyState = request.app.state.room
    room.look()
    with room.lock:
        readings = room.recent(login.reader, shown_in)
        return {"items": [_recent(room, login.reader, reading) for reading in readings]}


def counts(room: StudyState, reader: Reader) -> dict[str, int]:
    """How far the reader's blind list is read."""
    if Role.READER not in reader.roles:
        return {"left": 0, "done": 0, "all": 0}
    reading_list = room.list_of(reader)
    return {"left": reading_list.left, "done": reading_list.done, "all": len(reading_list)}


def _following(
    request: Request, reader: Reader, tab: str, count: int, held: str, edge: int | None
) -> dict[str, Any]:
    room: StudyState = request.app.state.room
    room.look()
    reading_list = room.list_of(reader)
    holder, has = holder_of(reader, tab, ReadingRound.BLIND), set(filter(None, held.split(",")))
    with room.lock:
        now = room.now
        room.leases.hold(holder, (one for one in has if reading_list.find(one)), now)
        lost = sorted(one for one in has if not room.leases.is_free(one, holder, now))
        if room.blind_round_closed:
            return {"items": [], "lost": lost, "closed": True, **counts(room, reader)}
        items = reading_list.following(
            count + _AHEAD,
            lambda one: one not in has and room.leases.is_free(one, holder, now),
        )
        told = items[:count]
        room.leases.hold(holder, (one.showing_id for one in told), now)
        paths = [room.path_of(one.image_id) for one in items]
        shown = [
            blind_item(
                room, reader, one.showing_id, (one.image_id, ReadingRound.BLIND, one.occasion)
            )
            for one in told
        ]
    if edge is not None:
        pictures: Pictures = request.app.state.pictures
        window = request.app.state.windows.get(reader.reader_id, MINMAX)
        pictures.make_ahead(paths, edge, window)
    return {"items": shown, "lost": lost, **counts(room, reader)}


def _recent(room: StudyState, reader: Reader, reading: ReadingRecord) -> dict[str, Any]:
    return item_of_reading(room, reader, reading) | {
        "uid": reading.uid,
        "act": reading.act,
        "said": verdict(reading),
        "note": reading.note,
        "how": reading.how,
        "made": reading.made.isoformat(),
    }
