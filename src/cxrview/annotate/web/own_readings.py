"""The page of a reader's own readings, to open one again while the blind round is open."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from cxrview.annotate.agreement import pace
from cxrview.annotate.effective import ReadingSlot
from cxrview.annotate.web.auth import Reading
from cxrview.annotate.web.routes.pages import study_page
from cxrview.annotate.web.shown_items import verdict
from cxrview.annotate.web.state import StudyState
from cxrview.records import Login, Reader
from cxrview.terms import ReadingRound

routes = APIRouter()

_ON_A_PAGE = 100
Shown = Literal["flagged", "postponed", "all"]


@routes.get("/my-readings")
def my_readings(
    request: Request,
    login: Reading,
    show: Annotated[Shown, Query()] = "all",
    after: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> HTMLResponse:
    """Show a reader's own blind readings, the last ones first; `after` so many of them."""
    room: StudyState = request.app.state.room
    room.look()
    own = pace(one for one in room.store.readings() if one.reader_id == login.reader.reader_id)
    speeds = own.get(login.reader.reader_id)
    with room.lock:
        rows = {name: turns(room, login.reader) for name, turns in _TURNS.items()}
        told = [_row(room, login, turn) for turn in rows[show][after : after + _ON_A_PAGE]]
    return study_page(
        request,
        login,
        "my_readings",
        show=show,
        counts={name: len(found) for name, found in rows.items()},
        rows=told,
        after=after,
        next_after=after + _ON_A_PAGE if len(rows[show]) > after + _ON_A_PAGE else None,
        previous_after=max(0, after - _ON_A_PAGE) if after else None,
        rates={
            "in single images": speeds.single.images_per_hour if speeds else None,
            "in the grid": speeds.grid.images_per_hour if speeds else None,
        },
    )


def _read(room: StudyState, reader: Reader) -> list[ReadingSlot]:
    verdicts = room.standing.verdicts
    own = [turn for turn in verdicts if _is_own(turn, reader)]
    return sorted(own, key=lambda turn: verdicts[turn].reading_id, reverse=True)


def _flagged(room: StudyState, reader: Reader) -> list[ReadingSlot]:
    return [turn for turn in reversed(room.standing.flags) if _is_own(turn, reader)]


def _postponed(room: StudyState, reader: Reader) -> list[ReadingSlot]:
    return [turn for turn in reversed(room.standing.postponed) if _is_own(turn, reader)]


_TURNS: dict[Shown, Callable[[StudyState, Reader], list[ReadingSlot]]] = {
    "all": _read,
    "flagged": _flagged,
    "postponed": _postponed,
}


def _is_own(turn: ReadingSlot, reader: Reader) -> bool:
    return turn[0] == reader.reader_id and turn[2] is ReadingRound.BLIND


def _row(room: StudyState, login: Login, turn: ReadingSlot) -> dict[str, Any]:
    said = room.standing.verdicts.get(turn)
    put_off = room.standing.postponed.get(turn)
    last = said or put_off or room.standing.flags[turn]
    return {
        "showing": room.showing_of(login.reader, (turn[1], turn[2], turn[3])),
        "said": verdict(said) if said else ("postponed" if put_off else "not read yet"),
        "note": last.note,
        "flagged": turn in room.standing.flags,
        "made": last.made.isoformat(timespec="minutes"),
    }
