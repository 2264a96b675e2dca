"""The manager's page: readers and their links, progress, export, and the end of the blind round.

Everything is a form that works without a script; each carries the CSRF token as a field.
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cxrview.annotate.database.sign_in_links import LINK_DAYS
from cxrview.annotate.database.study_log import LATE_SECONDS
from cxrview.annotate.export import chosen_images, export_labels, export_readings
from cxrview.annotate.lateness import count_late
from cxrview.annotate.web.auth import Managing, StudyForm
from cxrview.annotate.web.closing import close_blind_round, unread
from cxrview.annotate.web.reader_changes import ReaderChange, change_consequences
from cxrview.annotate.web.routes.pages import study_page
from cxrview.annotate.web.routes.settling import conflicts_for
from cxrview.annotate.web.state import StudyState
from cxrview.errors import UsageError
from cxrview.records import Login, Reader
from cxrview.terms import Role

routes = APIRouter(prefix="/admin")

_Name = Annotated[str, Form(max_length=200)]
_ROLES = (Role.READER, Role.ADJUDICATOR, Role.MANAGER)
_NOT_YOURSELF = (
    "You cannot change yourself here. Ask another manager, or use cxrview annotate reader."
)
_UNREAD = "You have images left to read blind: this is open to you when you have none."


@routes.get("")
def admin(request: Request, login: Managing) -> HTMLResponse:
    """Show how the study stands."""
    return _page(request, login)


@routes.post("/readers")
def add_reader(
    request: Request,
    login: StudyForm,
    name: _Name,
    roles: Annotated[list[str] | None, Form()] = None,
) -> HTMLResponse:
    """Add a reader, and show the link once."""
    room: StudyState = request.app.state.room
    try:
        held = {role for role in _ROLES if role in (roles or [])}
        reader, secret = room.store.add_reader(name, held)
    except UsageError as error:
        return _page(request, login, 400, wrong=str(error))
    room.look(at_once=True)
    return _page(request, login, link=_link(request, reader, secret))


@routes.get("/readers/{reader_id}/{change}")
def ask_change(
    request: Request, login: Managing, reader_id: int, change: ReaderChange
) -> HTMLResponse:
    """Show what a change to a reader would do, with a button that does it."""
    state: StudyState = request.app.state.room
    state.look(at_once=True)
    reader = _reader(request, reader_id)
    if reader_id == login.reader.reader_id:
        raise HTTPException(409, _NOT_YOURSELF)
    return study_page(
        request,
        login,
        "admin_change",
        change=change,
        reader=reader,
        effect=change_consequences(state, reader),
        hidden=state.has_blind_left(login.reader),
        link_days=LINK_DAYS,
    )


@routes.get("/export/{file}")
def ask_export(
    request: Request, login: Managing, file: Literal["labels.csv", "readings.csv"]
) -> HTMLResponse:
    """Ask a manager who reads as well whether to see what the other readers said."""
    state: StudyState = request.app.state.room
    return study_page(request, login, "admin_export", file=file, images=len(state.images))


@routes.post("/readers/{reader_id}/link")
def new_link(request: Request, login: StudyForm, reader_id: int) -> HTMLResponse:
    """Make a new link, and show it once; the old one leads nowhere, and the reader is signed out.

    A manager's own is made by the shell: it would end the login that asks for it.
    """
    reader = _reader(request, reader_id)
    if reader.is_retired or reader_id == login.reader.reader_id:
        raise HTTPException(409, "There is no new link for yourself, nor for who is retired.")
    secret = request.app.state.room.store.new_link(reader_id)
    return _page(request, login, link=_link(request, reader, secret))


@routes.post("/readers/{reader_id}/{change}")
def change_reader(request: Request, login: StudyForm, reader_id: int, change: str) -> Response:
    """Retire a reader, withdraw the reader's readings, or take that back."""
    room: StudyState = request.app.state.room
    _reader(request, reader_id)
    if reader_id == login.reader.reader_id:
        raise HTTPException(409, _NOT_YOURSELF)
    try:
        if change == "restore":
            room.store.restore_reader(reader_id)
        elif change in ("retire", "withdraw"):
            room.store.retire_reader(reader_id, withdraw=change == "withdraw")
        else:
            raise HTTPException(404, "There is no such change.")
    except UsageError as error:
        return _page(request, login, 400, wrong=str(error))
    room.look(at_once=True)
    return RedirectResponse("/admin", 303)


@routes.get("/closing")
def ask_closing(request: Request, login: Managing) -> HTMLResponse:
    """Show what the end of the blind round would mean now, and a button that does it."""
    return _closing(request, login)


@routes.post("/closing")
def do_closing(
    request: Request,
    login: StudyForm,
    left: Annotated[int, Form(ge=0)],
    late_minutes: Annotated[float, Form(ge=0, le=24 * 60)] = LATE_SECONDS / 60,
) -> Response:
    """Close the blind round if as many readings are left as the page has shown; else ask anew."""
    waiting = close_blind_round(
        request.app.state.room,
        request.app.state.settings.clock(),
        even_so_left=left,
        late_seconds=60 * late_minutes,
    )
    if waiting:
        return _closing(request, login, 409, changed=True)
    return RedirectResponse("/admin", 303)


@routes.get("/labels.csv")
def labels(request: Request, login: Managing) -> Response:
    """Give the settled labels as a file."""
    return _file(request, login, "labels.csv")


@routes.get("/readings.csv")
def readings(request: Request, login: Managing) -> Response:
    """Give every act of every reader as a file."""
    return _file(request, login, "readings.csv")


def _file(request: Request, login: Login, name: str) -> Response:
    room: StudyState = request.app.state.room
    if room.has_blind_left(login.reader):
        raise HTTPException(409, _UNREAD)
    room.note_opinion_shown(login.reader)
    room.record_reveal_of_all(login.reader)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / name
        try:
            if name == "labels.csv":
                export_labels(room.store, out, chosen_images(room.store))
            else:
                export_readings(room.store, out)
        except UsageError as error:
            raise HTTPException(409, f"{error}") from error
        content = out.read_bytes()
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _page(
    request: Request, login: Login, status: int = 200, *, wrong: str = "", link: str = ""
) -> HTMLResponse:
    room: StudyState = request.app.state.room
    room.look()
    return study_page(
        request,
        login,
        "admin",
        status,
        study=_study(room, login.reader),
        readers=[_told(room, one) for one in room.readers],
        own_id=login.reader.reader_id,
        imports=room.store.imports(),
        all_roles=[str(role) for role in _ROLES],
        wrong=wrong,
        link=link,
    )


def _closing(
    request: Request, login: Login, status: int = 200, *, changed: bool = False
) -> HTMLResponse:
    room: StudyState = request.app.state.room
    room.look(at_once=True)
    waiting = unread(room)
    return study_page(
        request,
        login,
        "admin_closing",
        status,
        unread=waiting,
        left=sum(one.left for one in waiting),
        late_minutes=round(LATE_SECONDS / 60),
        changed=changed,
    )


def _study(room: StudyState, asks: Reader) -> dict[str, Any]:
    """Counts; those that could tell what others said wait until the asker has read blind."""
    has_left = room.has_blind_left(asks)
    with room.lock:
        settled = room.settlements.all().values()
        told: dict[str, Any] = {
            "images": len(room.images),
            "closed": room.blind_round_closed,
            "late_minutes": room.late_limit.total_seconds() / 60,
            "late": sum(count_late(room.store.readings(), room.blind_round_closed).values()),
            "replaced": len(room.content.replaced()),
            "flagged": len({turn[1] for turn in room.standing.flags}),
            "hidden": has_left,
            "settlements": {},
        }
        if not has_left:
            told["settlements"] = dict(Counter(str(one.how) for one in settled))
            told["conflicts"] = len(conflicts_for(room, asks))
    return told


def _told(room: StudyState, reader: Reader) -> dict[str, Any]:
    is_reader = Role.READER in reader.roles
    reading_list = room.list_of(reader) if is_reader else None
    return {
        "id": reader.reader_id,
        "name": reader.name,
        "roles": " and ".join(sorted(reader.roles, reverse=True)),
        "is_retired": reader.is_retired,
        "is_withdrawn": reader.is_withdrawn,
        "done": reading_list.done if reading_list else None,
        "left": 0 if reading_list is None or reader.is_retired else reading_list.left,
    }


def _reader(request: Request, reader_id: int) -> Reader:
    room: StudyState = request.app.state.room
    for reader in room.readers:
        if reader.reader_id == reader_id:
            return reader
    raise HTTPException(404, "The study has no such reader.")


def _link(request: Request, reader: Reader, secret: str) -> str:
    """The whole address, as this browser calls the server; a proxy may speak https before it."""
    scheme = "https" if request.app.state.settings.is_https else request.url.scheme
    return f"{reader.name}: {scheme}://{request.url.netloc}/enter#{secret}"
