"""The pages that people see; what they may do on them is said in `roles`."""

from collections import Counter
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from cxrview.annotate.web.agreement_table import agreement_table
from cxrview.annotate.web.auth import Adjudicating, Reading, SignedIn
from cxrview.annotate.web.closing import unread
from cxrview.annotate.web.routes.reading import counts
from cxrview.annotate.web.routes.settling import conflicts_for
from cxrview.annotate.web.state import StudyState
from cxrview.annotate.web.tabs import queue_key
from cxrview.annotate.web.templates import page
from cxrview.records import EXCLUSION_REASONS, Login
from cxrview.terms import Role

routes = APIRouter()


@routes.get("/")
def home(request: Request, login: SignedIn) -> HTMLResponse:
    """Show how far one has come, and where to go from here."""
    room: StudyState = request.app.state.room
    room.look()
    progress = _progress(room, login)
    left = blind_left(room) if Role.ADJUDICATOR in login.reader.roles else {}
    return study_page(request, login, "home", progress=progress, blind_left=left)


@routes.get("/read")
def read(request: Request, login: Reading) -> HTMLResponse:
    """Show one image after another."""
    return study_page(request, login, "read")


@routes.get("/grid")
def grid(request: Request, login: Reading) -> HTMLResponse:
    """Show pages of thumbnails."""
    return study_page(request, login, "grid")


@routes.get("/adjudicate")
def adjudicate(request: Request, login: Adjudicating) -> HTMLResponse:
    """Show what readers differ about."""
    return study_page(request, login, "adjudicate")


@routes.get("/agreement")
def agreement(request: Request, login: Adjudicating) -> HTMLResponse:
    """Show how far readers agree."""
    room: StudyState = request.app.state.room
    room.look()
    return study_page(request, login, "agreement", agreement=agreement_table(room, login.reader))


@routes.get("/second-look")
def second_look(request: Request, login: Adjudicating) -> HTMLResponse:
    """Show labels that the model does not share, after the blind round."""
    room: StudyState = request.app.state.room
    room.look()
    if room.blind_round_closed is None:
        return study_page(
            request,
            login,
            "refused",
            409,
            title="Not yet",
            why="The model's opinions are shown once the blind round is closed. An adjudicator "
            "closes it.",
            close_blind_round=True,
            blind_left=blind_left(room),
        )
    return study_page(request, login, "second_look")


@routes.get("/keys")
def keys(request: Request, login: SignedIn) -> HTMLResponse:
    """Show which key does what."""
    return study_page(request, login, "keys")


@routes.get("/favicon.ico", include_in_schema=False)
def no_icon() -> None:
    """Answer browsers that ask whatever the page says."""
    raise HTTPException(404)


def study_page(
    request: Request, login: Login, name: str, status: int = 200, **context: Any
) -> HTMLResponse:
    """Fill a page of somebody who is signed in, with what every such page needs."""
    room: StudyState = request.app.state.room
    return page(
        name,
        status,
        study_name=room.study.name,
        reader_name=login.reader.name,
        roles=sorted(login.reader.roles),
        csrf=login.csrf,
        login_seconds_left=round(
            (login.expires - request.app.state.settings.clock()).total_seconds()
        ),
        queue_key=queue_key(room, login),
        choices=[{"name": one.name, "key": one.key} for one in room.study.choices],
        exclusion_reasons=list(EXCLUSION_REASONS),
        blind_round_closed=room.blind_round_closed is not None,
        **context,
    )


def blind_left(room: StudyState) -> dict[str, int]:
    """How many blind readings are still to be made, and by how many readers."""
    waiting = unread(room)
    return {"readings": sum(one.left for one in waiting), "readers": len(waiting)}


def _progress(room: StudyState, login: Login) -> dict[str, Any]:
    """One's own, and nothing of others that could tell what they said of an image."""
    reader = login.reader
    knows = Role.ADJUDICATOR in reader.roles and not room.has_blind_left(reader)
    mine = counts(room, reader)
    with room.lock:
        own = [turn for turn in room.standing.postponed if turn[0] == reader.reader_id]
        flagged = {turn[1] for turn in room.standing.flags if turn[0] == reader.reader_id}
        told: dict[str, Any] = {"mine": mine, "postponed": len(own), "flagged": len(flagged)}
        told["study"] = {}
        if knows:
            settled = room.settlements.all().values()
            told["study"] = dict(Counter(str(one.how) for one in settled))
            told["conflicts"] = len(conflicts_for(room, reader))
    return told
