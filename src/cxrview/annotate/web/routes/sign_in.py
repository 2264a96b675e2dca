"""The routes by which readers come in, by secret link or by password, and go out again."""

import threading
import time
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from cxrview.annotate.web.auth import LoginThrottle, NotSignedIn, Sessions, StalePage, is_csrf_right
from cxrview.annotate.web.templates import page
from cxrview.records import Reader

routes = APIRouter()

_Text = Annotated[str, Form(max_length=1024)]
_WRONG = "The name or the password is wrong."
_NO_LINK = "This link is not valid, or not any more. Ask for a new one."
# Each check of argon2 takes 64 MiB on purpose.
_two_at_a_time = threading.Semaphore(2)


@routes.get("/enter")
def show_enter(request: Request) -> HTMLResponse:
    """Show a button: whatever looks into links before people do presses none.

    The secret stands behind `#`, which no browser sends: neither a server's log nor, once the
    page's script has taken it out of the address, the browser's history has it.
    """
    return _page(request, "enter")


@routes.get("/enter/{secret}")
def show_old_enter(secret: str) -> RedirectResponse:
    """Lead a link of an older cxrview, with the secret in its path, to the same page."""
    return RedirectResponse(f"/enter#{quote(secret, safe='')}", 303)


@routes.post("/enter")
def enter(request: Request, secret: _Text) -> Response:
    """Sign in the reader whose link it is. Its 32 random bytes need no slowing down."""
    reader = request.app.state.room.store.reader_by_link(secret)
    if reader is None:
        raise HTTPException(403, _NO_LINK)
    return _let_in(request, reader)


@routes.get("/sign-in")
def show_sign_in(request: Request) -> HTMLResponse:
    """Ask for name and password."""
    return _page(request, "sign_in", error="", reader="")


@routes.post("/sign-in")
def sign_in(request: Request, name: _Text, password: _Text) -> Response:
    """Let the reader in whose name and password they are."""
    name = name.strip()
    slowdown: LoginThrottle = request.app.state.slowdown
    _check_pace(slowdown.wait_seconds(name, time.monotonic()))
    with _two_at_a_time:
        reader = request.app.state.room.store.check_password(name, password)
    if reader is None:
        slowdown.failed(name, time.monotonic())
        return _page(request, "sign_in", 403, error=_WRONG, reader=name)
    slowdown.succeeded(name)
    return _let_in(request, reader)


@routes.post("/sign-out")
def sign_out(request: Request, csrf: _Text) -> Response:
    """End the login."""
    door: Sessions = request.app.state.door
    login = door.find(request)
    if login is None:
        raise NotSignedIn
    if not is_csrf_right(login, csrf):
        raise StalePage
    answer = RedirectResponse("/sign-in", 303)
    door.log_out(request, answer)
    return answer


def _let_in(request: Request, reader: Reader) -> Response:
    door: Sessions = request.app.state.door
    answer = RedirectResponse("/", 303)
    door.log_in(reader, answer)
    return answer


def _check_pace(wait: float) -> None:
    if wait > 0:
        seconds = max(1, round(wait))
        raise HTTPException(
            429, f"Too many tries; wait {seconds} s.", headers={"Retry-After": str(seconds)}
        )


def _page(request: Request, name: str, status: int = 200, **context: str) -> HTMLResponse:
    return page(name, status, study_name=request.app.state.room.study.name, **context)
