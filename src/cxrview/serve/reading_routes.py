"""The routes of the blind round: what comes next, and what was said of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from cxrview.annotate.conflict import EXCLUDED
from cxrview.annotate.standing import turn_of
from cxrview.records import Login, Reader
from cxrview.records import Reading as ReadingRecord
from cxrview.serve.door import Reading, SignedIn
from cxrview.serve.intake import SentReadings, refusals, take_in
from cxrview.serve.pictures import Pictures
from cxrview.serve.room import Room
from cxrview.terms import Act, Role, Round

routes = APIRouter(prefix="/api")

Count = Annotated[int, Query(ge=1, le=200)]
Tab = Annotated[str, Query(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Held = Annotated[str, Query(max_length=32_000, pattern=r"^([0-9a-f]{16}(,[0-9a-f]{16})*)?$")]
_AHEAD = 6
"""Pictures made ahead of those that were just told of, at the size last asked for."""
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


@routes.post("/readings")
def write_down(request: Request, login: SignedIn, sent: SentReadings) -> dict[str, Any]:
    """Write readings down. What is told as written is on the disk."""
    room: Room = request.app.state.room
    taken = take_in(room, login.reader, sent)
    return {
        "written": taken.written,
        "refused": refusals(taken),
        **counts(room, login.reader),
    }


@routes.get("/recent")
def recent(
    request: Request,
    login: SignedIn,
    shown_in: Annotated[Round, Query(alias="round")] = Round.BLIND,
) -> dict[str, Any]:
    """Tell the reader's last readings that stand, for an undo after the page was loaded anew."""
    room: Room = request.app.state.room
    room.look()
    with room.lock:
        readings = room.recent(login.reader, shown_in)
        return {"items": [_recent(room, login, reading) for reading in readings]}


def counts(room: Room, reader: Reader) -> dict[str, int]:
    """How far the reader's blind list is read."""
    if Role.READER not in reader.roles:
        return {"left": 0, "done": 0, "all": 0}
    reading_list = room.list_of(reader)
    return {"left": reading_list.left, "done": reading_list.done, "all": len(reading_list)}


def verdict(reading: ReadingRecord) -> str:
    """What a page shows of a verdict: the label, or `excluded: ` and the reason."""
    return reading.label if reading.act is Act.LABEL else f"{EXCLUDED}: {reading.reason}"


def _following(
    request: Request, reader: Reader, tab: str, count: int, held: str, edge: int | None
) -> dict[str, Any]:
    room: Room = request.app.state.room
    room.look()
    reading_list = room.list_of(reader)
    holder, has = f"{reader.reader_id}/{tab}", set(filter(None, held.split(",")))
    with room.lock:
        now = room.now
        room.leases.hold(holder, (one for one in has if reading_list.find(one)), now)
        if room.blind_round_closed:
            return {"items": [], "closed": True, **counts(room, reader)}
        items = reading_list.following(
            count + _AHEAD,
            lambda one: one not in has and room.leases.is_free(one, holder, now),
        )
        told = items[:count]
        room.leases.hold(holder, (one.showing_id for one in told), now)
        paths = [room.path_of(one.image_id) for one in items]
    if edge is not None:
        pictures: Pictures = request.app.state.pictures
        pictures.make_ahead(paths, edge)
    return {"items": [{"showing": one.showing_id} for one in told], **counts(room, reader)}


def _recent(room: Room, login: Login, reading: ReadingRecord) -> dict[str, Any]:
    place = (reading.image_id, reading.round, reading.occasion)
    return {
        "showing": room.showing_of(login.reader, place),
        "uid": reading.uid,
        "verdict": verdict(reading),
        "flagged": turn_of(reading) in room.standing.flags,
    }
