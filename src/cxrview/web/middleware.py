"""Middleware of all routes: host and origin checks, a body limit, security headers.

It is the outermost ASGI layer of the application, so that every response has the headers.
"""

import logging
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY_BYTES = 2 << 20
"""A thousand readings with notes take half of it."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    # Not no-referrer: browsers would then send the origin of our own forms as null.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_SAFE = ("GET", "HEAD")
_TOO_MUCH = "The request is too large."
_BROKEN = "Internal error of the server. Nothing was lost. Try again."
_MOST_NAME = 253
"""Letters of a host's name."""
_log = logging.getLogger(__name__)


def _as_text(status: int, sentence: str) -> Response:
    return PlainTextResponse(sentence, status)


class StorageWatch(Protocol):
    """Is notified when what an application writes to fails, and when it works again."""

    def works(self, method: str) -> None:
        """A request of this method was answered without an error."""

    def response_to(self, error: Exception, method: str, path: str) -> Response | None:
        """The response where the storage caused an error; None where it did not."""


class RequestGuard:
    """Refuses unknown hosts, foreign origins and large bodies; adds security headers.

    Args:
        app: the application behind it.
        hosts: names that browsers may call the server by, besides its addresses.
        host_advice: what to do where a host is refused, as a sentence.
        is_https_only: whether to send Strict-Transport-Security (HSTS).
        storage: is notified when the storage fails or works again.
        most_body_bytes: of a body; None where the application limits it.
        refuse: makes the response of a refusal from its status and a sentence.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str],
        *,
        host_advice: str = "",
        is_https_only: bool = False,
        storage: StorageWatch | None = None,
        most_body_bytes: int | None = MOST_BODY_BYTES,
        refuse: Callable[[int, str], Response] = _as_text,
    ) -> None:
        self._app = app
        self._most_body_bytes = most_body_bytes
        self._refuse = refuse
        self._host_advice = host_advice
        self._storage = storage
        self._hosts = frozenset(host.lower() for host in hosts)
        self._headers = dict(_HEADERS)
        if is_https_only:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":  # and no web sockets
            await self._serve(scope, receive, _Response(send, self._headers))

    async def _serve(self, scope: Scope, receive: Receive, send: "_Response") -> None:
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal:
            await refusal(scope, receive, send)
            return
        body = _Body(receive, self._most_body_bytes)
        try:
            await self._app(scope, body.receive, send)
            if self._storage and send.status < 500 and not scope["path"].startswith("/static/"):
                self._storage.works(scope["method"])
        except Exception as error:  # last-resort handler: the message may quote a row or a path
            response = self._response_to(error, scope)
            if not send.has_begun:
                await response(scope, receive, send)

    def _response_to(self, error: Exception, scope: Scope) -> Response:
        if self._storage:
            response = self._storage.response_to(error, scope["method"], scope["path"])
            if response:
                return response
        _log.error("%s raised %s", _place(error), type(error).__name__)
        return self._refuse(500, _BROKEN)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts and not _is_address(_name(host)):
            name = _name(host)[:_MOST_NAME]
            known = name if name.isascii() and name.isprintable() else "this name"
            said = f"This server is not known as {known or 'nothing'}. {self._host_advice}"
            return self._refuse(421, said.rstrip())
        if method in _SAFE:
            return None
        if not _is_own(host, headers):
            return self._refuse(403, "The request was sent by a page of another site.")
        most, length = self._most_body_bytes, headers.get("content-length", "0")
        if most is not None and (
            not length.isascii() or not length.isdigit() or int(length) > most
        ):
            return self._refuse(413, _TOO_MUCH)
        return None


class _Response:
    """Adds the headers to every response."""

    def __init__(self, send: Send, headers: dict[str, str]) -> None:
        self._send, self._headers = send, headers
        self.has_begun = False
        self.status = 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers.update(self._headers)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


class _Body:
    """Limits the body: one that is sent in chunks does not declare its length."""

    def __init__(self, receive: Receive, most: int | None) -> None:
        self._receive, self._most = receive, most
        self._bytes = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._bytes += len(message.get("body", b""))
        if self._most is not None and self._bytes > self._most:
            raise HTTPException(413, _TOO_MUCH)
        return message


def _name(host: str) -> str:
    """Return a host without its port: `[::1]:8000` is `[::1]`."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _is_address(name: str) -> bool:
    """Whether a host is an IP address, which DNS rebinding cannot change."""
    try:
        ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _is_own(host: str, headers: Headers) -> bool:
    """Whether a page of this server sent it; a client that sends no origin is not a browser."""
    if site := headers.get("sec-fetch-site"):  # which browsers send only to https and localhost
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc.lower() == host.lower()


def _place(error: Exception) -> str:
    """Module and line that raised it."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
