"""Routes to sign in, by secret link or by password, and to sign out."""

import threading
import time
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.web.auth import NotSignedIn, Sessions, StalePage, is_csrf_right
from cxrview.annotate.web.login_throttle import LoginThrottle
from cxrview.annotate.web.templates import page
from cxrview.records.annotation import Reader

routes = APIRouter()

_Text = Annotated[str, Form(max_length=1024)]
_WRONG = "The name or the password is wrong."
_INCOMPLETE = (
    "The link is not complete: open it as it was sent to you, from the first letter to the last."
)
_NO_LINK = "This link is not valid, or no longer valid. Ask the manager of the study for a new one."
# Each check of a password by argon2 takes 64 MiB.
_password_checks = threading.Semaphore(2)


@routes.get("/enter")
def show_enter(request: Request) -> HTMLResponse:
    """Show a button, since a preview that opens a link must not sign in.

    The secret is the part of the address after `#`, which browsers do not send: it appears neither
    in a server's log nor, once the page's script has removed it, in the browser's history.
    """
    return _page(request, "link_sign_in", error=_INCOMPLETE)


@routes.get("/enter/{secret}")
def show_old_enter(secret: str) -> RedirectResponse:
    """Redirect a link of an older cxrview, with the secret in its path, to the same page."""
    return RedirectResponse(f"/enter#{quote(secret, safe='')}", 303)


@routes.post("/enter")
def enter(request: Request, secret: _Text) -> Response:
    """Sign in the reader whose link it is. Its 32 random bytes cannot be guessed."""
    store: ReadingStore = request.app.state.study_state.store
    credentials = store.credentials()
    reader = store.reader_by_link(secret)
    answer = reader and _sign_in(request, reader, credentials)
    if not answer:
        # The same page again: a new link that is opened in this tab does not load another.
        return _page(request, "link_sign_in", 403, error=_NO_LINK)
    return answer


@routes.get("/sign-in")
def show_sign_in(request: Request) -> HTMLResponse:
    """Show the form for name and password."""
    return _page(request, "sign_in", error="", reader="")


@routes.post("/sign-in")
def sign_in(request: Request, name: _Text, password: _Text) -> Response:
    """Sign in a reader by name and password."""
    name = name.strip()
    throttle: LoginThrottle = request.app.state.login_throttle
    who = name.casefold()  # every spelling with which the reader can sign in
    with _password_checks:  # within it, so that tries that came together wait for each other
        _refuse_too_soon(throttle.wait_seconds(who, time.monotonic()))
        store: ReadingStore = request.app.state.study_state.store
        credentials = store.credentials()
        reader = store.check_password(name, password)
        answer = reader and _sign_in(request, reader, credentials)
        if not answer:
            throttle.failed(who, time.monotonic())
            return _page(request, "sign_in", 403, error=_WRONG, reader=name)
    throttle.succeeded(who)
    return answer


@routes.post("/sign-out")
def sign_out(request: Request, csrf: _Text) -> Response:
    """Sign out."""
    sessions: Sessions = request.app.state.sessions
    login = sessions.find(request)
    if login is None:
        raise NotSignedIn
    if not is_csrf_right(login, csrf):
        raise StalePage
    answer = RedirectResponse("/sign-in", 303)
    sessions.log_out(request, answer)
    return answer


def _sign_in(
    request: Request, reader: Reader, credentials: Mapping[int, tuple[str | None, ...]]
) -> Response | None:
    """Open a login; None if the credentials of the reader are no longer those given."""
    sessions: Sessions = request.app.state.sessions
    answer = RedirectResponse("/", 303)
    before = credentials.get(reader.reader_id, ())
    return answer if sessions.log_in(reader, answer, before) else None


def _refuse_too_soon(wait: float) -> None:
    if wait > 0:
        seconds = max(1, round(wait))
        raise HTTPException(
            429, f"Too many attempts; wait {seconds} s.", headers={"Retry-After": str(seconds)}
        )


def _page(request: Request, name: str, status: int = 200, **context: str) -> HTMLResponse:
    return page(name, status, study_name=request.app.state.study_state.study.name, **context)
