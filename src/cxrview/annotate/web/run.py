"""Serve an annotation study to browsers until the process is stopped."""

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.web.app import annotation_app
from cxrview.annotate.web.database_watch import LockWatch
from cxrview.annotate.web.settings import ServeSettings
from cxrview.annotate.web.tls import check_certificate
from cxrview.errors import UsageError
from cxrview.web.server import PageServer, is_loopback


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
    """Serve a study; returns when the process is told to end (SIGINT, SIGTERM, SIGHUP).

    Only errors are logged, and without addresses, since a secret link is one.

    Args:
        store: the open study; the caller closes it.
        settings: None for the defaults. This machine's name and the host are added to its hosts.
        host: address to listen on.
        port: 0 for any free port.
        may_be_reached: confirms that other machines may reach the study's images.
        certificate: TLS certificate, PEM, for https.
        key: private key, if the certificate file does not contain it.
        when_ready: called with the address once browsers can connect.

    Raises:
        UsageError: other machines could connect without `may_be_reached`, or the address is
            not available, or certificate or key is invalid, or another process serves the study.
    """
    if not is_loopback(host) and not may_be_reached:
        raise UsageError(
            f"{host} can be reached from other machines, which then see the study's images",
            "Serve on 127.0.0.1 and connect by ssh -L, or confirm it with --reachable; then give "
            "readers passwords and serve by https",
        )
    if key and not certificate:
        raise UsageError("a TLS key needs its certificate: name both")
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
            "--https-only needs a server that browsers reach by https",
            "Use --certificate, or --behind-https",
        )
    app = annotation_app(store, settings)
    server = PageServer(
        app, host=host, port=port, certificate=certificate, key=key, when_ready=when_ready
    )
    lock = store.take_serving_lock(store.study.study_id)
    watch = LockWatch(lock, app.state.database, server.end)
    try:
        server.run()
    finally:
        watch.stop()
