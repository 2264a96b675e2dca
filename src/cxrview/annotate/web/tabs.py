"""Leases of browser tabs: the routes by which a tab holds, returns or takes over images."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field, StringConstraints

from cxrview.annotate.web.auth import SignedIn, queue_key
from cxrview.annotate.web.state import ShownImage, StudyState
from cxrview.records.annotation import Reader
from cxrview.terms import ReadingRound

routes = APIRouter(prefix="/api")

TAB_PATTERN = r"^[A-Za-z0-9_-]+$"
Tab = Annotated[str, Query(min_length=1, max_length=64, pattern=TAB_PATTERN)]
_TabName = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=TAB_PATTERN)]
_Showing = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
_MOST_HELD = 20_000


class TabHolds(BaseModel):
    """The images that a tab shows, has fetched, or has not sent yet."""

    tab: _TabName
    held: Annotated[list[_Showing], Field(max_length=_MOST_HELD)] = []
    only: bool = False
    """Whether the tab returns all others that it holds, as when it is closed."""


class ThisTab(BaseModel):
    """The tab to continue in."""

    tab: _TabName


@routes.get("/session")
def session(request: Request, login: SignedIn) -> dict[str, str | float]:
    """Return who is signed in and until when, the CSRF token, and the server's time (UTC)."""
    now = request.app.state.settings.clock()
    return {
        "csrf": login.csrf,
        "queue": queue_key(request.app.state.study_state.study, login),
        "reader": login.reader.name,
        "now": now.isoformat(),
        "seconds_left": (login.expires - now).total_seconds(),
    }


@routes.post("/hold")
def hold(request: Request, login: SignedIn, sent: TabHolds) -> dict[str, list[str]]:
    """Renew the leases of a tab.

    An open tab renews them regularly. A tab that is closed holds only what it could not send yet;
    the rest is then free for the reader's other tabs at once.

    Returns:
        `lost`: images that another tab holds, which this one drops.
    """
    state: StudyState = request.app.state.study_state
    places = [(showing, state.place_of(login.reader, showing)) for showing in sent.held]
    lost = []
    with state.lock:
        now = state.now
        for shown_in in ReadingRound:
            here = [(s, lease_of(s, p)) for s, p in places if p is not None and p[1] is shown_in]
            holder = holder_of(login.reader, sent.tab, shown_in)
            if sent.only:
                state.leases.release(holder)
            if here:
                state.leases.hold(holder, [lease for _, lease in here], now)
            lost += [s for s, lease in here if not state.leases.is_free(lease, holder, now)]
    return {"lost": lost}


@routes.post("/take-over")
def take_over(request: Request, login: SignedIn, sent: ThisTab) -> dict[str, bool]:
    """End the leases of all other tabs of this reader, on every computer."""
    state: StudyState = request.app.state.study_state
    reader_id = login.reader.reader_id
    with state.lock:
        state.leases.release_others(f"{reader_id}/", but=f"{reader_id}/{sent.tab}")
    return {"taken": True}


def holder_of(reader: Reader, tab: str, shown_in: ReadingRound) -> str:
    """Return the name of a reader's tab as a holder of leases."""
    return f"{reader.reader_id}/{tab}" + ("" if shown_in is ReadingRound.BLIND else f"/{shown_in}")


def lease_of(showing: str, place: ShownImage) -> str:
    """Return the name of what is leased: a showing in the blind round, later the image itself.

    Args:
        showing: used in the blind round only, where each reader has their own.
        place: what the showing stands for.
    """
    image_id, shown_in, _ = place
    return showing if shown_in is ReadingRound.BLIND else f"{shown_in} {image_id}"
