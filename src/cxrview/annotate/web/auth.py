"""Authentication: cookie sessions, CSRF tokens, and the dependencies that check a route's role.

A session is 32 random bytes in a cookie; the database keeps their SHA-256. Every request that
changes something also carries a CSRF token, which another site's page cannot read.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Form, HTTPException, Request, Response

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.web.settings import ServeSettings
from cxrview.records.annotation import AnnotationStudy, Login, Reader
from cxrview.terms import Role

STALE = "X-Stale-Page"
"""Response header that marks a refused CSRF token of an earlier login."""
PAGE_OF = "X-Page-Of"
"""Request header by which a script says whose page it runs in: the page's `queue_key`."""
DIFFERENT = "X-Different-Reader"
"""Response header that marks a refusal because another reader has signed in since."""


class Sessions:
    """Cookie sessions of readers.

    Args:
        store: the study, which keeps the logins.
        settings: how long a login lasts, and whether browsers use https.
    """

    def __init__(self, store: ReadingStore, settings: ServeSettings) -> None:
        self._store, self._settings = store, settings
        # Cookies ignore ports: two studies on one machine must not share one.
        self._cookie = f"cxrview_{hashlib.sha256(store.study.study_id.encode()).hexdigest()[:8]}"
        if settings.is_https:
            self._cookie = f"__Host-{self._cookie}"

    def log_in(
        self, reader: Reader, response: Response, credentials: tuple[str | None, ...]
    ) -> bool:
        """Open a login and set its cookie in the response.

        Returns:
            False if the reader's link or password was replaced after `credentials` was taken.
        """
        token = secrets.token_urlsafe(32)
        hours = self._settings.login_hours
        expires = self._settings.clock() + timedelta(hours=hours)
        csrf = secrets.token_urlsafe(24)
        if not self._store.open_login(reader.reader_id, _digest(token), csrf, expires, credentials):
            return False
        response.set_cookie(
            self._cookie,
            token,
            max_age=int(hours * 3600),
            httponly=True,
            secure=self._settings.is_https,
            samesite="strict",
        )
        return True

    def log_out(self, request: Request, response: Response) -> None:
        """End the login; the browser drops its cookie and its cache of pictures."""
        if token := request.cookies.get(self._cookie):
            self._store.end_login(_digest(token))
        response.delete_cookie(
            self._cookie, httponly=True, secure=self._settings.is_https, samesite="strict"
        )
        response.headers["Clear-Site-Data"] = '"cache"'

    def find(self, request: Request) -> Login | None:
        """Return the login of a request; None if it has none, or it has expired."""
        token = request.cookies.get(self._cookie)
        return self._store.find_login(_digest(token), self._settings.clock()) if token else None


def queue_key(study: AnnotationStudy, login: Login) -> str:
    """Return the name under which a browser keeps unsent readings of this study and reader."""
    whose = f"{study.study_id} {login.reader.reader_id}"
    return hashlib.sha256(whose.encode()).hexdigest()[:16]


def is_csrf_right(login: Login, sent: str) -> bool:
    """Whether the CSRF token is that of the login, compared in constant time."""
    return hmac.compare_digest(login.csrf.encode(), sent.encode())


class StalePage(HTTPException):
    """403: the CSRF token is of an earlier login. Scripts get the new one at `/api/session`."""

    def __init__(self) -> None:
        super().__init__(
            403, "This page was loaded in an earlier login. Reload it.", headers={STALE: "1"}
        )


class DifferentReader(HTTPException):
    """403: the page that asks was made for another reader, who used the same browser before."""

    def __init__(self) -> None:
        why = "Another reader has signed in with this browser. Sign in again to continue here."
        super().__init__(403, why, headers={DIFFERENT: "1"})


class NotSignedIn(HTTPException):
    """401: pages redirect to the sign-in page, scripts get JSON."""

    def __init__(self) -> None:
        super().__init__(401, "You are not signed in, or your login has expired.")


def signed_in(request: Request) -> Login:
    """Return the login of a request.

    Raises:
        NotSignedIn: the request has no valid login.
        DifferentReader: a script of another reader's page sent it.
        StalePage: it changes something, and does not carry the CSRF token of its login.
    """
    sessions: Sessions = request.app.state.sessions
    login = sessions.find(request)
    if login is None:
        raise NotSignedIn
    page_of = request.headers.get(PAGE_OF)
    if page_of is not None and page_of != queue_key(request.app.state.study_state.study, login):
        raise DifferentReader
    if request.method == "POST" and not is_csrf_right(
        login, request.headers.get("x-csrf-token", "")
    ):
        raise StalePage
    return login


SignedIn = Annotated[Login, Depends(signed_in)]


def reading(login: SignedIn) -> Login:
    """Return the login of a reader.

    Raises:
        HTTPException: 403, the login has not the role of a reader.
    """
    return _with_role(login, Role.READER, "Only the readers of the study see this page.")


def adjudicating(login: SignedIn) -> Login:
    """Return the login of an adjudicator.

    Raises:
        HTTPException: 403, the login has not the role of an adjudicator.
    """
    return _with_role(login, Role.ADJUDICATOR, "Only an adjudicator sees this.")


def managing(login: SignedIn) -> Login:
    """Return the login of a manager.

    Raises:
        HTTPException: 403, the login has not the role of a manager.
    """
    return _with_role(login, Role.MANAGER, "Only a manager of the study sees this.")


def closing(login: SignedIn) -> Login:
    """Return the login of an adjudicator or manager, who may close the blind round.

    Raises:
        HTTPException: 403, neither.
    """
    if Role.MANAGER in login.reader.roles:
        return login
    return adjudicating(login)


def in_form(request: Request, csrf: Annotated[str, Form(max_length=1024)]) -> Login:
    """Return the login of a manager who sends a form, which has the CSRF token as a field.

    Raises:
        NotSignedIn: the request has no valid login.
        HTTPException: 403, not a manager, or the token is not that of the login.
    """
    login = request.app.state.sessions.find(request)
    if login is None:
        raise NotSignedIn
    if not is_csrf_right(login, csrf):
        raise HTTPException(403, "This page was loaded in an earlier login. Reload it.")
    return managing(login)


ReaderLogin = Annotated[Login, Depends(reading)]
AdjudicatorLogin = Annotated[Login, Depends(adjudicating)]
ManagerLogin = Annotated[Login, Depends(managing)]
CloserLogin = Annotated[Login, Depends(closing)]
StudyForm = Annotated[Login, Depends(in_form)]


def _with_role(login: Login, role: Role, otherwise: str) -> Login:
    if role not in login.reader.roles:
        raise HTTPException(403, otherwise)
    return login


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
