"""Routes of the manager's pages: readers, sign-in links, progress, export, closing the blind round.

Every change is a form that works without JavaScript and has the CSRF token as a field.
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
from cxrview.annotate.late_readings import count_late
from cxrview.annotate.web.auth import ManagerLogin, StudyForm
from cxrview.annotate.web.closing import close_blind_round, unread
from cxrview.annotate.web.reader_changes import ReaderChange, change_consequences
from cxrview.annotate.web.routes.pages import study_page
from cxrview.annotate.web.routes.settling import conflicts_for
from cxrview.annotate.web.state import StudyState
from cxrview.errors import UsageError
from cxrview.records.annotation import Login, Reader
from cxrview.terms import Role

routes = APIRouter(prefix="/admin")

_Name = Annotated[str, Form(max_length=200)]
_ROLES = (Role.READER, Role.ADJUDICATOR, Role.MANAGER)
_NOT_YOURSELF = (
    "You cannot change yourself here. Ask another manager, or use cxrview annotate reader."
)
_UNREAD = "You have images left to read blind. You can export when you have none left."


@routes.get("")
def admin(request: Request, login: ManagerLogin) -> HTMLResponse:
    """Show the progress of the study and its readers."""
    return _page(request, login)


@routes.post("/readers")
def add_reader(
    request: Request,
    login: StudyForm,
    name: _Name,
    roles: Annotated[list[str] | None, Form()] = None,
) -> HTMLResponse:
    """Add a reader and show their link once."""
    state: StudyState = request.app.state.study_state
    try:
        held = {role for role in _ROLES if role in (roles or [])}
        reader, secret = state.store.add_reader(name, held)
    except UsageError as error:
        return _page(request, login, 400, wrong=str(error))
    state.refresh(at_once=True)
    return _page(request, login, link=_link(request, reader, secret))


@routes.get("/readers/{reader_id}/{change}")
def confirm_change(
    request: Request, login: ManagerLogin, reader_id: int, change: ReaderChange
) -> HTMLResponse:
    """Show what a change to a reader would do, with a button that does it."""
    state: StudyState = request.app.state.study_state
    state.refresh(at_once=True)
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
def confirm_export(
    request: Request, login: ManagerLogin, file: Literal["labels.csv", "readings.csv"]
) -> HTMLResponse:
    """Ask a manager who reads as well whether to see what the other readers said."""
    state: StudyState = request.app.state.study_state
    return study_page(request, login, "admin_export", file=file, images=len(state.images))


@routes.post("/readers/{reader_id}/link")
def new_link(request: Request, login: StudyForm, reader_id: int) -> HTMLResponse:
    """Replace a reader's link and show the new one once; the reader is signed out.

    Managers cannot replace their own here, because that would end their login.
    """
    reader = _reader(request, reader_id)
    if reader.is_retired or reader_id == login.reader.reader_id:
        raise HTTPException(
            409, "You cannot replace your own link here, nor that of a retired reader."
        )
    secret = request.app.state.study_state.store.new_link(reader_id)
    return _page(request, login, link=_link(request, reader, secret))


@routes.post("/readers/{reader_id}/{change}")
def change_reader(request: Request, login: StudyForm, reader_id: int, change: str) -> Response:
    """Retire a reader, withdraw their readings, or restore both."""
    state: StudyState = request.app.state.study_state
    _reader(request, reader_id)
    if reader_id == login.reader.reader_id:
        raise HTTPException(409, _NOT_YOURSELF)
    try:
        if change == "restore":
            state.store.restore_reader(reader_id)
        elif change in ("retire", "withdraw"):
            state.store.retire_reader(reader_id, withdraw=change == "withdraw")
        else:
            raise HTTPException(404, "Unknown change of a reader.")
    except UsageError as error:
        return _page(request, login, 400, wrong=str(error))
    state.refresh(at_once=True)
    return RedirectResponse("/admin", 303)


@routes.get("/closing")
def confirm_closing(request: Request, login: ManagerLogin) -> HTMLResponse:
    """Show what closing the blind round would do now, with a button that does it."""
    return _closing(request, login)


@routes.post("/closing")
def close(
    request: Request,
    login: StudyForm,
    left: Annotated[int, Form(ge=0)],
    late_minutes: Annotated[float, Form(ge=0, le=24 * 60)] = LATE_SECONDS / 60,
) -> Response:
    """Close the blind round if the number of readings left is the one shown; else ask again."""
    waiting = close_blind_round(
        request.app.state.study_state,
        request.app.state.settings.clock(),
        even_so_left=left,
        late_seconds=60 * late_minutes,
    )
    if waiting:
        return _closing(request, login, 409, changed=True)
    return RedirectResponse("/admin", 303)


@routes.get("/labels.csv")
def labels(request: Request, login: ManagerLogin) -> Response:
    """Return the settled labels as a CSV file."""
    return _file(request, login, "labels.csv")


@routes.get("/readings.csv")
def readings(request: Request, login: ManagerLogin) -> Response:
    """Return every action of every reader as a CSV file."""
    return _file(request, login, "readings.csv")


def _file(request: Request, login: Login, name: str) -> Response:
    state: StudyState = request.app.state.study_state
    if state.has_blind_left(login.reader):
        raise HTTPException(409, _UNREAD)
    state.note_opinion_shown(login.reader)
    state.record_reveal_of_all(login.reader)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / name
        try:
            if name == "labels.csv":
                export_labels(state.store, out, chosen_images(state.store))
            else:
                export_readings(state.store, out)
        except UsageError as error:
            raise HTTPException(409, f"{error}") from error
        content = out.read_bytes()
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _page(
    request: Request, login: Login, status: int = 200, *, wrong: str = "", link: str = ""
) -> HTMLResponse:
    state: StudyState = request.app.state.study_state
    state.refresh()
    return study_page(
        request,
        login,
        "admin",
        status,
        study=_study(state, login.reader),
        readers=[_reader_row(state, one) for one in state.readers],
        own_id=login.reader.reader_id,
        imports=state.store.imports(),
        all_roles=[str(role) for role in _ROLES],
        wrong=wrong,
        link=link,
    )


def _closing(
    request: Request, login: Login, status: int = 200, *, changed: bool = False
) -> HTMLResponse:
    state: StudyState = request.app.state.study_state
    state.refresh(at_once=True)
    waiting = unread(state)
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


def _study(state: StudyState, manager: Reader) -> dict[str, Any]:
    """Count images and readings; counts that reveal readings only if nothing is left to read."""
    has_left = state.has_blind_left(manager)
    without_reader = state.count_without_reader()
    with state.lock:
        settled = state.label_statuses.all().values()
        counts: dict[str, Any] = {
            "images": len(state.images),
            "closed": state.blind_round_closed,
            "late_minutes": state.late_limit.total_seconds() / 60,
            "late": sum(count_late(state.store.readings(), state.blind_round_closed).values()),
            "replaced": len(state.content.replaced()),
            "flagged": len({slot[1] for slot in state.effective.flags}),
            "without_reader": without_reader,
            "hidden": has_left,
            "settlements": {},
        }
        if not has_left:
            counts["settlements"] = dict(Counter(str(one.how) for one in settled))
            counts["conflicts"] = len(conflicts_for(state, manager))
    return counts


def _reader_row(state: StudyState, reader: Reader) -> dict[str, Any]:
    is_reader = Role.READER in reader.roles
    reading_list = state.list_of(reader) if is_reader else None
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
    state: StudyState = request.app.state.study_state
    for reader in state.readers:
        if reader.reader_id == reader_id:
            return reader
    raise HTTPException(404, "Reader not found.")


def _link(request: Request, reader: Reader, secret: str) -> str:
    """Return the link with the address that this browser uses; a proxy may add https."""
    scheme = "https" if request.app.state.settings.is_https else request.url.scheme
    return f"{reader.name}: {scheme}://{request.url.netloc}/enter#{secret}"
