"""Limits on what a client may take: size of the body, time to send it, requests at a time."""

import asyncio
import time
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cxrview.service.http.refusal import Refusal, busy, too_large

MIN_BYTES_PER_SECOND = 64 << 10
"""Rate at which a body must arrive, once the time for a short one is over."""
SMALL_BODY_BYTES = 64 << 10
"""Limit on bodies other than files."""


class ClientLimits:
    """Refuses bodies that are too large, compressed or slow, and requests beyond a number.

    Args:
        app: the application behind it.
        most_bytes: of a body, by the path that takes files; others take `SMALL_BODY_BYTES`.
        most_requests: with a file, that are carried out at a time.
        seconds: for a short body to arrive.
    """

    def __init__(
        self, app: ASGIApp, *, most_bytes: Mapping[str, int], most_requests: int, seconds: float
    ) -> None:
        self._app = app
        self._most_bytes = dict(most_bytes)
        self._most_requests, self._seconds = most_requests, seconds
        self._requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        most = self._limit(scope["path"])
        response = _Response(send)
        try:
            _check_headers(Headers(scope=scope), most)
            body = _Body(receive, most, self._seconds)
            if most == SMALL_BODY_BYTES:
                await self._app(scope, body.receive, response)
            else:
                await self._serve_file(scope, body.receive, response)
        except Refusal as refusal:
            if not response.has_begun:
                await refusal.response()(scope, receive, response)

    async def _serve_file(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._requests >= self._most_requests:
            raise busy()
        self._requests += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._requests -= 1

    def _limit(self, path: str) -> int:
        for prefix, most in self._most_bytes.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                return most
        return SMALL_BODY_BYTES


def _check_headers(headers: Headers, most: int) -> None:
    """Check what the client declares, before any of the body is read.

    Raises:
        Refusal: the body is compressed or too large.
    """
    if headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise Refusal(
            415,
            "content_encoding",
            "the body is compressed",
            "Send the file as it is, without Content-Encoding",
            {"Accept-Encoding": "identity"},
        )
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise Refusal(400, "bad_request", "Content-Length is not a number", "Correct the header")
    if len(length) > 20 or int(length) > most:
        raise too_large(most)


class _Response:
    """Notes whether a response has begun; one that ends a body early closes the connection."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            if message["status"] == 408:
                MutableHeaders(scope=message)["Connection"] = "close"
        await self._send(message)


class _Body:
    """Counts the bytes of a body, and its time."""

    def __init__(self, receive: Receive, most: int, seconds: float) -> None:
        self._receive, self._most, self._seconds = receive, most, seconds
        self._bytes = 0
        self._began = time.monotonic()
        self._is_complete = False

    async def receive(self) -> Message:
        """Receive the next piece.

        Raises:
            Refusal: there are too many bytes, or they arrive too slowly.
        """
        if self._is_complete:
            return await self._receive()
        end = self._began + self._seconds + self._bytes / MIN_BYTES_PER_SECOND
        try:
            message = await asyncio.wait_for(self._receive(), max(0.0, end - time.monotonic()))
        except TimeoutError:
            raise Refusal(
                408, "slow_client", "the body arrives too slowly", "Send it over a faster line"
            ) from None
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._most:
            raise too_large(self._most)
        self._is_complete = not message.get("more_body", False)
        return message
