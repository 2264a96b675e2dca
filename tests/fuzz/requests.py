"""Requests of HTTP as bytes: the content type, a line end, and the body."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

CHUNK = 300


def request_of(data: bytes, path: str = "/") -> tuple[dict[str, Any], Callable[[], Awaitable[Any]]]:
    """The scope of a POST request, and what gives its body in pieces (ASGI)."""
    kind, _, body = data.partition(b"\n")
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(b"content-type", kind), (b"content-length", b"%d" % len(body))],
    }
    pieces = [body[k : k + CHUNK] for k in range(0, len(body), CHUNK)] or [b""]

    async def receive() -> MutableMapping[str, Any]:
        if not pieces:
            return {"type": "http.disconnect"}
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    return scope, receive
