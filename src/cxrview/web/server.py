"""Serve an ASGI application to browsers until the process is stopped."""

import logging
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from cxrview.errors import UsageError

_GRACE_SECONDS = 5


class PageServer:
    """A server of one application. It logs errors only, and no addresses: they can hold secrets.

    Args:
        app: ASGI application.
        host: address to listen on.
        port: 0 for any free port.
        certificate: TLS certificate, PEM, for https.
        key: private key, if the certificate file does not contain it.
        when_ready: called with the address once browsers can connect.
        limits: further settings of `uvicorn.Config`, such as a limit on connections.

    Raises:
        OSError: certificate or key cannot be loaded.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        host: str,
        port: int,
        certificate: Path | None = None,
        key: Path | None = None,
        when_ready: Callable[[str], None] | None = None,
        limits: Mapping[str, Any] | None = None,
    ) -> None:
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            access_log=False,
            log_config=None,  # logging is configured by the caller
            log_level="error",
            server_header=False,
            proxy_headers=False,
            ws="none",
            ssl_certfile=certificate,
            ssl_keyfile=key,
            timeout_graceful_shutdown=_GRACE_SECONDS,
            **(limits or {}),
        )
        config.load()
        self._server = _Server(config, when_ready)

    def run(self) -> None:
        """Serve until the process is told to end (SIGINT, SIGTERM, SIGHUP), or `end` is called.

        Raises:
            UsageError: the address is not available.
        """
        config = self._server.config
        try:
            with suppress(KeyboardInterrupt):  # raised again once everything is closed
                self._server.run()
        except SystemExit as error:  # raised by uvicorn when the address is in use
            raise UsageError(
                f"cannot listen on {config.host}:{config.port}: the address is in use or not "
                "available",
                "Try another --port",
            ) from error

    def end(self) -> None:
        """Stop serving, as by SIGTERM; safe from any thread."""
        self._server.should_exit = True


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(uvicorn.Server):
    """Calls back with its address once it listens."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        log = logging.getLogger("uvicorn.error")
        log.disabled = True  # the caller reports an address in use, once
        try:
            await super().startup(sockets)
        finally:
            log.disabled = False
        if self.started and self._when_ready:
            port = self.servers[0].sockets[0].getsockname()[1]
            scheme = "https" if self.config.is_ssl else "http"
            self._when_ready(f"{scheme}://{_as_named(self.config.host)}:{port}")


def _as_named(host: str) -> str:
    return f"[{host}]" if ":" in host else host
