"""Who may use the service: those who send its token, or everyone on this machine."""

import base64
import binascii
import hmac
from collections.abc import Collection
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from cxrview.errors import UsageError
from cxrview.service.http.refusal import Refusal

SHORTEST_TOKEN = 16
_REALM = 'realm="cxrview"'


def read_token(path: Path) -> str:
    """Read the token of a service.

    Raises:
        UsageError: the file cannot be read, or the token is too short or not printable ASCII.
    """
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII"
        raise UsageError(f"http.token_file cannot be read: {reason}", "Check the name") from error
    if len(token) < SHORTEST_TOKEN or not token.isprintable() or " " in token:
        raise UsageError(
            f"the token of http.token_file has fewer than {SHORTEST_TOKEN} characters, or spaces",
            "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    return token


class TokenCheck:
    """Refuses requests without the token.

    Programs send it as a bearer token (RFC 6750); a browser asks for it as the password of a login
    whose user name does not matter (RFC 7617).

    Args:
        app: the application behind it.
        token: None lets everyone in.
        open_paths: paths that need no token.
    """

    def __init__(self, app: ASGIApp, token: str | None, open_paths: Collection[str] = ()) -> None:
        self._app, self._token = app, token
        self._open_paths = frozenset(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        is_open = scope["type"] != "http" or scope["path"] in self._open_paths
        if is_open or self._is_let_in(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = Refusal(
            401,
            "unauthorized",
            "the token is missing or wrong",
            "Send the header Authorization: Bearer TOKEN",
            {"WWW-Authenticate": f"Bearer {_REALM}, Basic {_REALM}"},
        )
        await refusal.response()(scope, receive, send)

    def _is_let_in(self, headers: Headers) -> bool:
        if self._token is None:
            return True
        scheme, _, sent = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                sent = base64.b64decode(sent, validate=True).decode("latin-1").partition(":")[2]
            except (binascii.Error, ValueError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(sent.strip().encode(), self._token.encode())
