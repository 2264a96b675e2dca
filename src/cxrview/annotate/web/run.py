"""Serves an annotation study to browsers until somebody stops it."""

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import uvicorn

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.web.app import annotation_app
from cxrview.annotate.web.database_watch import LockWatch
from cxrview.annotate.web.settings import ServeSettings
from cxrview.annotate.web.tls import check_certificate
from cxrview.errors import UsageError

_GRACE_SECONDS = 5


def serve_annotation(
    store: ReadingStore,
    settings: ServeSettings | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    may_be_reached: bool = False,
    certificate: Path | None = None,
    key: Path | None = None,
    when_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve a study; returns when the process is told to end (SIGINT, SIGTERM).

    Nothing is logged but errors, and those without addresses: a secret link is one.

    Args:
        store: of the study; whoever opened it closes it.
        settings: the defaults where None. This machine's name and the host are added to its hosts.
        host: address to listen at.
        port: 0 for any that is free.
        may_be_reached: said by who knows that other machines then see the study's images.
        certificate: of TLS, PEM, for https.
        key: of the certificate, where that file does not hold it.
        when_ready: told the address once browsers may come.

    Raises:
        UsageError: other machines could come in and nobody said that they may, or the address
            cannot be had, or certificate and key are none, or another process serves the study.
    """
    if not _is_loopback(host) and not may_be_reached:
        raise UsageError(
            f"{host} can be reached from other machines, which then see the study's images",
            "Serve on 127.0.0.1 and come in by ssh -L, or say that you mean it; then give readers "
            "passwords and serve by https",
        )
    if key and not certificate:
        raise UsageError("a key of TLS goes with its certificate: name both")
    if certificate:
        check_certificate(certificate, key)
    settings = settings or ServeSettings()
    settings = replace(
        settings,
        hosts=(*settings.hosts, host, socket.gethostname()),
        is_https=settings.is_https or certificate is not None,
    )
    if settings.is_https_only and not settings.is_https:
        raise UsageError(
            "--https-only is for a server that browsers reach by https",
            "Name --certificate, or say --behind-https",
        )
    app = annotation_app(store, settings)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,  # the caller's own
        log_level="error",
        server_header=False,
        proxy_headers=False,
        ws="none",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    config.load()
    server = _Server(config, when_ready)
    lock = store.take_serving_lock(store.study.study_id)
    watch = LockWatch(lock, app.state.database, server.end)
    try:
        with suppress(KeyboardInterrupt):  # raised anew once all is closed
            server.run()
    except SystemExit as error:  # of uvicorn's own, when the address is taken
        raise UsageError(f"{host}:{port} cannot be listened at", "Try another --port") from error
    finally:
        watch.stop()


class _Server(uvicorn.Server):
    """Tells when it listens, and where."""

    def __init__(self, config: uvicorn.Config, when_ready: Callable[[str], None] | None) -> None:
        super().__init__(config)
        self._when_ready = when_ready

    def end(self) -> None:
        """Stop serving, as by SIGTERM; safe from any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        log = logging.getLogger("uvicorn.error")
        log.disabled = True  # a taken address is told once, by whoever called
        try:
            await super().startup(sockets)
        finally:
            log.disabled = False
        if self.started and self._when_ready:
            port = self.servers[0].sockets[0].getsockname()[1]
            scheme = "https" if self.config.is_ssl else "http"
            self._when_ready(f"{scheme}://{_as_named(self.config.host)}:{port}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _as_named(host: str) -> str:
    return f"[{host}]" if ":" in host else host
