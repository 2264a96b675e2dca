"""Who is in: logins, the cookie that carries them, and what a route asks of whoever calls.

A login is 32 random bytes in a cookie; the store keeps their SHA-256. Everything that changes
something carries a second secret, which another site's page cannot read (CSRF).
"""

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Form, HTTPException, Request, Response

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.web.settings import ServeSettings
from cxrview.records import Login, Reader
from cxrview.terms import Role

STALE = "X-Stale-Page"
"""Header of the answer to a token of an earlier login, which tells it from other refusals."""


class Sessions:
    """Lets readers in and knows them again.

    Args:
        store: of the study.
        settings: how long a login lasts, and whether browsers come by https.
    """

    def __init__(self, store: ReadingStore, settings: ServeSettings) -> None:
        self._store, self._settings = store, settings
        # Cookies don't know ports: two studies on one machine must not share one.
        self._cookie = f"cxrview_{hashlib.sha256(store.study.study_id.encode()).hexdigest()[:8]}"
        if settings.is_https:
            self._cookie = f"__Host-{self._cookie}"

    def log_in(self, reader: Reader, response: Response) -> None:
        """Open a login and give its token to the browser."""
        token = secrets.token_urlsafe(32)
        hours = self._settings.login_hours
        expires = self._settings.clock() + timedelta(hours=hours)
        self._store.open_login(reader.reader_id, _digest(token), secrets.token_urlsafe(24), expires)
        response.set_cookie(
            self._cookie,
            token,
            max_age=int(hours * 3600),
            httponly=True,
            secure=self._settings.is_https,
            samesite="strict",
        )

    def log_out(self, request: Request, response: Response) -> None:
        """End the login and have the browser forget it, with every picture it kept."""
        if token := request.cookies.get(self._cookie):
            self._store.end_login(_digest(token))
        response.delete_cookie(
            self._cookie, httponly=True, secure=self._settings.is_https, samesite="strict"
        )
        response.headers["Clear-Site-Data"] = '"cache"'

    def find(self, request: Request) -> Login | None:
        """Who calls; None where nobody known does, or the login has expired."""
        token = request.cookies.get(self._cookie)
        return self._store.find_login(_digest(token), self._settings.clock()) if token else None


def is_csrf_right(login: Login, sent: str) -> bool:
    """Whether a form or a script of ours sent it, in a time that tells nothing."""
    return hmac.compare_digest(login.csrf.encode(), sent.encode())


class StalePage(HTTPException):
    """The token of an earlier login: a script asks `/api/session` for the one of now."""

    def __init__(self) -> None:
        super().__init__(
            403, "This page is of an earlier login. Load it again.", headers={STALE: "1"}
        )


class NotSignedIn(HTTPException):
    """Nobody is signed in: a page leads to the sign-in, a script is told."""

    def __init__(self) -> None:
        super().__init__(401, "You are not signed in, or your login has expired.")


def signed_in(request: Request) -> Login:
    """Give the login of whoever calls.

    Raises:
        NotIn: nobody known.
        StalePage: something is to be changed and the CSRF token of this login is not sent.
    """
    door: Sessions = request.app.state.door
    login = door.find(request)
    if login is None:
        raise NotSignedIn
    if request.method == "POST" and not is_csrf_right(
        login, request.headers.get("x-csrf-token", "")
    ):
        raise StalePage
    return login


SignedIn = Annotated[Login, Depends(signed_in)]


def reading(login: SignedIn) -> Login:
    """Give the login of a reader.

    Raises:
        HTTPException: 403, not one of the readers.
    """
    return _with_role(login, Role.READER, "Only the study's readers read.")


def adjudicating(login: SignedIn) -> Login:
    """Give the login of an adjudicator.

    Raises:
        HTTPException: 403, no adjudicator.
    """
    return _with_role(login, Role.ADJUDICATOR, "Only an adjudicator sees this.")


def managing(login: SignedIn) -> Login:
    """Give the login of a manager.

    Raises:
        HTTPException: 403, no manager.
    """
    return _with_role(login, Role.MANAGER, "Only a manager of the study sees this.")


def closing(login: SignedIn) -> Login:
    """Give the login of who may close the blind round: an adjudicator or a manager.

    Raises:
        HTTPException: 403, neither.
    """
    if Role.MANAGER in login.reader.roles:
        return login
    return adjudicating(login)


def in_form(request: Request, csrf: Annotated[str, Form(max_length=1024)]) -> Login:
    """Give the login of a manager who sends a form, which carries the CSRF token as a field.

    Raises:
        NotIn: nobody known.
        HTTPException: 403, no manager, or the token is not that of the login.
    """
    login = request.app.state.door.find(request)
    if login is None:
        raise NotSignedIn
    if not is_csrf_right(login, csrf):
        raise HTTPException(403, "This page is of an earlier login. Load it again.")
    return managing(login)


Reading = Annotated[Login, Depends(reading)]
Adjudicating = Annotated[Login, Depends(adjudicating)]
Managing = Annotated[Login, Depends(managing)]
Closing = Annotated[Login, Depends(closing)]
StudyForm = Annotated[Login, Depends(in_form)]


def _with_role(login: Login, role: Role, otherwise: str) -> Login:
    if role not in login.reader.roles:
        raise HTTPException(403, otherwise)
    return login


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


FREE_FAILURES = 4
LONGEST_SECONDS = 60.0
_FORGET_SECONDS = 3600.0
_MOST_NAMES = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class LoginThrottle:
    """Counts failures by name. Times are seconds of one clock that only goes forward."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = threading.Lock()

    def wait_seconds(self, name: str, now: float) -> float:
        """How long this name has to wait before its next try; 0 if it need not."""
        with self._lock:
            failures = self._failures.get(name)
            if failures is None or now - failures.last > _FORGET_SECONDS:
                return 0.0
            extra = failures.count - FREE_FAILURES
            if extra < 0:
                return 0.0
            wait = min(LONGEST_SECONDS, 2.0 ** min(extra, 10))
            return max(0.0, failures.last + wait - now)

    def failed(self, name: str, now: float) -> None:
        """Count a failure."""
        with self._lock:
            failures = self._failures.pop(name, _Failures(0, now))
            if now - failures.last > _FORGET_SECONDS:
                failures.count = 0
            self._failures[name] = _Failures(failures.count + 1, now)
            while len(self._failures) > _MOST_NAMES:  # of names that nobody has, mostly
                self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forget this name's failures."""
        with self._lock:
            self._failures.pop(name, None)
