"""The server of the service: uvicorn, with time limits for clients that do not finish."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h11
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from cxrview.service.http.refusal import Refusal, of_status
from cxrview.web.server import PageServer

HEADER_SECONDS = 10.0
"""Time for the header of a request, and for the rest of a body that is not wanted any more."""
WRITE_SECONDS = 30.0
"""Time after which a client is cut off that takes nothing of its response."""
MOST_CONNECTIONS = 512
"""Beyond these uvicorn answers 503. A process may usually open 1,024 files."""
_ABORT_SECONDS = 2.0


class ServiceProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn that cuts off clients which send a header, or take a response, slowly.

    uvicorn limits only the time between two requests. The body of a request is limited by
    `ClientLimits`, since how long it may take depends on its size.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._is_refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time for the first header."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        if self._is_refused:
            return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Start the time for the next header."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        _stop(self._reading)
        self._reading = None
        _stop(self._writing)
        self._writing = None
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Start the time for the client to take what was sent."""
        super().pause_writing()
        _stop(self._writing)
        self._writing = None
        self._writing = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop that time."""
        _stop(self._writing)
        self._writing = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, in the form of all refusals."""
        self._answer(of_status(400))

    def _watch(self) -> None:
        """Run the clock exactly while no request is in the hands of the application."""
        if self.cycle is not None and not self.cycle.response_complete:
            _stop(self._reading)
            self._reading = None
        elif self._reading is None and not self.transport.is_closing():
            self._reading = self.loop.call_later(HEADER_SECONDS, self._cut_off)

    def _cut_off(self) -> None:
        self._reading = None
        if self.transport.is_closing() or self._is_refused:
            return
        if self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE:
            refusal = Refusal(408, "slow_client", "the header arrives too slowly", "Send it again")
            self._answer(refusal.response())
        else:
            self.transport.close()
            self.loop.call_later(_ABORT_SECONDS, self.transport.abort)

    def _answer(self, response: Any) -> None:
        """Write a response outside of any request, and close the connection."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # one has begun
            self.transport.close()
            return
        head = h11.Response(
            status_code=response.status_code,
            headers=[*response.raw_headers, (b"connection", b"close")],
        )
        for event in (head, h11.Data(data=response.body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self._is_refused = True
        self._linger()

    def _linger(self) -> None:
        """Close our side only: a client that still sends would lose the answer to a reset."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:  # TLS
            self.transport.close()
        self.loop.call_later(_ABORT_SECONDS, self.transport.abort)

    def shutdown(self) -> None:
        """End the connection, since the server ends."""
        if self._is_refused:
            self.transport.abort()
        else:
            super().shutdown()


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def service_server(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    certificate: Path | None = None,
    key: Path | None = None,
    when_ready: Callable[[str], None] | None = None,
) -> PageServer:
    """Make the server of an application; `run` serves until `end` or a signal.

    Args:
        app: from `service_app`.
        host: address to listen on.
        port: 0 for any free port.
        certificate: TLS certificate, PEM, for https.
        key: private key, if the certificate file does not contain it.
        when_ready: called with the address once clients can connect.

    Raises:
        OSError: certificate or key cannot be loaded.
    """
    return PageServer(
        app,
        host=host,
        port=port,
        certificate=certificate,
        key=key,
        when_ready=when_ready,
        limits={"http": ServiceProtocol, "limit_concurrency": MOST_CONNECTIONS},
    )
