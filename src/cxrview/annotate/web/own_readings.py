"""The page of a reader's own readings, which can be opened again in the blind round."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from cxrview.annotate.agreement import reading_rates
from cxrview.annotate.effective import ReadingSlot
from cxrview.annotate.web.auth import ReaderLogin
from cxrview.annotate.web.routes.pages import study_page
from cxrview.annotate.web.shown_items import verdict
from cxrview.annotate.web.state import StudyState
from cxrview.records.annotation import Login, Reader
from cxrview.terms import ReadingRound

routes = APIRouter()

_ON_A_PAGE = 100
Shown = Literal["flagged", "postponed", "all"]


@routes.get("/my-readings")
def my_readings(
    request: Request,
    login: ReaderLogin,
    show: Annotated[Shown, Query()] = "all",
    after: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> HTMLResponse:
    """Show a reader's own blind readings, the latest first, starting after `after` of them."""
    state: StudyState = request.app.state.study_state
    state.refresh()
    own = reading_rates(
        one for one in state.store.readings() if one.reader_id == login.reader.reader_id
    )
    speeds = own.get(login.reader.reader_id)
    with state.lock:
        rows = {name: slots(state, login.reader) for name, slots in _SLOTS.items()}
        shown = [_row(state, login, slot) for slot in rows[show][after : after + _ON_A_PAGE]]
    return study_page(
        request,
        login,
        "my_readings",
        show=show,
        counts={name: len(found) for name, found in rows.items()},
        rows=shown,
        after=after,
        next_after=after + _ON_A_PAGE if len(rows[show]) > after + _ON_A_PAGE else None,
        previous_after=max(0, after - _ON_A_PAGE) if after else None,
        rates={
            "in single images": speeds.single.images_per_hour if speeds else None,
            "in the grid": speeds.grid.images_per_hour if speeds else None,
        },
    )


def _read(state: StudyState, reader: Reader) -> list[ReadingSlot]:
    verdicts = state.effective.verdicts
    own = [slot for slot in verdicts if _is_own(slot, reader)]
    return sorted(own, key=lambda slot: verdicts[slot].reading_id, reverse=True)


def _flagged(state: StudyState, reader: Reader) -> list[ReadingSlot]:
    return [slot for slot in reversed(state.effective.flags) if _is_own(slot, reader)]


def _postponed(state: StudyState, reader: Reader) -> list[ReadingSlot]:
    return [slot for slot in reversed(state.effective.postponed) if _is_own(slot, reader)]


_SLOTS: dict[Shown, Callable[[StudyState, Reader], list[ReadingSlot]]] = {
    "all": _read,
    "flagged": _flagged,
    "postponed": _postponed,
}


def _is_own(slot: ReadingSlot, reader: Reader) -> bool:
    return slot[0] == reader.reader_id and slot[2] is ReadingRound.BLIND


def _row(state: StudyState, login: Login, slot: ReadingSlot) -> dict[str, Any]:
    said = state.effective.verdicts.get(slot)
    postponed = state.effective.postponed.get(slot)
    last = said or postponed or state.effective.flags[slot]
    return {
        "showing": state.showing_of(login.reader, (slot[1], slot[2], slot[3])),
        "said": verdict(said) if said else ("postponed" if postponed else "not read yet"),
        "note": last.note,
        "flagged": slot in state.effective.flags,
        "made": last.made.isoformat(timespec="minutes"),
    }
