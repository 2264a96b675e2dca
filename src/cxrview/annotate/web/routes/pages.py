"""Routes of the HTML pages, and the context that all of them need."""

from collections import Counter
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from cxrview.annotate.web.agreement_table import agreement_table
from cxrview.annotate.web.auth import AdjudicatorLogin, ReaderLogin, SignedIn, queue_key
from cxrview.annotate.web.closing import unread
from cxrview.annotate.web.routes.reading import counts
from cxrview.annotate.web.routes.settling import conflicts_for
from cxrview.annotate.web.state import StudyState
from cxrview.annotate.web.templates import page
from cxrview.records.annotation import EXCLUSION_REASONS, Login
from cxrview.terms import Role

routes = APIRouter()


@routes.get("/")
def home(request: Request, login: SignedIn) -> HTMLResponse:
    """Show the reader's progress and links to the other pages."""
    state: StudyState = request.app.state.study_state
    state.refresh()
    progress = _progress(state, login)
    left = blind_left(state) if Role.ADJUDICATOR in login.reader.roles else {}
    return study_page(request, login, "home", progress=progress, blind_left=left)


@routes.get("/read")
def read(request: Request, login: ReaderLogin) -> HTMLResponse:
    """Show one image after another."""
    return study_page(request, login, "read")


@routes.get("/grid")
def grid(request: Request, login: ReaderLogin) -> HTMLResponse:
    """Show pages of thumbnails."""
    return study_page(request, login, "grid")


@routes.get("/adjudicate")
def adjudicate(request: Request, login: AdjudicatorLogin) -> HTMLResponse:
    """Show the conflicts, one by one."""
    return study_page(request, login, "adjudicate")


@routes.get("/agreement")
def agreement(request: Request, login: AdjudicatorLogin) -> HTMLResponse:
    """Show the agreement between readers."""
    state: StudyState = request.app.state.study_state
    state.refresh()
    return study_page(request, login, "agreement", agreement=agreement_table(state, login.reader))


@routes.get("/second-look")
def second_look(request: Request, login: AdjudicatorLogin) -> HTMLResponse:
    """Show labels with which the model disagrees, after the blind round."""
    state: StudyState = request.app.state.study_state
    state.refresh()
    if state.blind_round_closed is None:
        return study_page(
            request,
            login,
            "error",
            409,
            title="Not yet",
            why="The model's opinions are shown once the blind round is closed. An adjudicator "
            "closes it.",
            close_blind_round=True,
            blind_left=blind_left(state),
        )
    return study_page(request, login, "second_look")


@routes.get("/keys")
def keys(request: Request, login: SignedIn) -> HTMLResponse:
    """Show the keyboard shortcuts."""
    return study_page(request, login, "keys")


@routes.get("/favicon.ico", include_in_schema=False)
def no_icon() -> None:
    """Answer 404: browsers request this whatever icon the page names."""
    raise HTTPException(404)


def study_page(
    request: Request, login: Login, name: str, status: int = 200, **context: Any
) -> HTMLResponse:
    """Render a page for a signed-in reader, with the context that every such page needs."""
    state: StudyState = request.app.state.study_state
    return page(
        name,
        status,
        study_name=state.study.name,
        reader_name=login.reader.name,
        roles=sorted(login.reader.roles),
        csrf=login.csrf,
        login_seconds_left=round(
            (login.expires - request.app.state.settings.clock()).total_seconds()
        ),
        queue_key=queue_key(state.study, login),
        choices=[{"name": one.name, "key": one.key} for one in state.study.choices],
        exclusion_reasons=list(EXCLUSION_REASONS),
        blind_round_closed=state.blind_round_closed is not None,
        **context,
    )


def blind_left(state: StudyState) -> dict[str, int]:
    """Count the blind readings that are left, and the readers who have them."""
    waiting = unread(state)
    return {"readings": sum(one.left for one in waiting), "readers": len(waiting)}


def _progress(state: StudyState, login: Login) -> dict[str, Any]:
    """Return the reader's own progress; that of the study only if it reveals nothing."""
    reader = login.reader
    knows = Role.ADJUDICATOR in reader.roles and not state.has_blind_left(reader)
    mine = counts(state, reader)
    with state.lock:
        own = [slot for slot in state.effective.postponed if slot[0] == reader.reader_id]
        flagged = {slot[1] for slot in state.effective.flags if slot[0] == reader.reader_id}
        progress: dict[str, Any] = {"mine": mine, "postponed": len(own), "flagged": len(flagged)}
        progress["study"] = {}
        if knows:
            settled = state.label_statuses.all().values()
            progress["study"] = dict(Counter(str(one.how) for one in settled))
            progress["conflicts"] = len(conflicts_for(state, reader))
    return progress
