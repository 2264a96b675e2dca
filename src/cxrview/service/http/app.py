"""The web application of the service: its routes, and what stands before them."""

import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cxrview.errors import CannotWrite, UsageError
from cxrview.service.configuration import HttpSettings
from cxrview.service.engine import Engine
from cxrview.service.http import refusal
from cxrview.service.http.access import TokenCheck, read_token
from cxrview.service.http.batch_jobs import BatchJobs
from cxrview.service.http.classify_route import classify_router
from cxrview.service.http.client_limits import ClientLimits
from cxrview.service.http.job_routes import job_router
from cxrview.service.http.metrics import CountRequests, HttpMetrics
from cxrview.service.http.operations import Operations, operations_router
from cxrview.service.http.status_page import STATIC, QueueStatus
from cxrview.service.http.upload import clear_uploads
from cxrview.web.middleware import RequestGuard
from cxrview.web.server import is_loopback
from cxrview.web.static_files import StaticScripts

OPEN_PATHS = ("/health",)
"""Paths that need no token: they say nothing but that the process answers."""
_DESCRIPTION = """Finds out which way chest radiographs face. For research and data management: not
a medical device. Every answer that is not what was asked for is JSON: `code`, `reason`, `advice`.
"""


def service_app(
    engine: Engine,
    jobs: BatchJobs,
    settings: HttpSettings,
    folder: Path,
    *,
    store: QueueStatus | None = None,
    routers: Sequence[APIRouter] = (),
    file_paths: Mapping[str, int] | None = None,
    troubles: Callable[[], Sequence[str]] = lambda: (),
    now: Callable[[], float] = time.time,
) -> FastAPI:
    """Create the application. Its caller starts and closes the engine and the jobs.

    Args:
        engine: of all entrances.
        jobs: batch jobs.
        settings: [http] of the configuration.
        folder: of the service; files of requests are below it while they are classified.
        store: whose counts are shown; None without a queue.
        routers: further routes, such as those of STOW-RS.
        file_paths: most bytes of a body, by the path of further routes that take files.
        troubles: why other parts of the service do not work, as sentences.
        now: clock, seconds since 1970.

    Returns:
        An ASGI application.

    Raises:
        UsageError: no token is given although other machines can connect, or it is not usable.
    """
    token = read_token(settings.token_file) if settings.token_file else None
    if token is None and not is_loopback(settings.host):
        raise UsageError(
            "http.token_file is missing, and http.host is not a loopback address",
            "Everyone who reaches the address could read the answers: name a file with a token",
        )
    uploads = folder / "uploads"
    clear_uploads(uploads)
    metrics = HttpMetrics(engine, store.counts if store else None)
    app = FastAPI(
        title="cxrview",
        version=version("cxrview"),
        description=_DESCRIPTION,
        docs_url=None,  # its page loads scripts from another site
        redoc_url=None,
        redirect_slashes=False,
    )
    operations = Operations(
        engine=engine,
        jobs=jobs,
        metrics=metrics,
        store=store,
        folder=folder,
        more_troubles=troubles,
        now=now,
        started=now(),
    )
    app.include_router(classify_router(engine, metrics, uploads, settings.timeout_seconds))
    app.include_router(job_router(jobs))
    app.include_router(operations_router(operations))
    for router in routers:
        app.include_router(router)
    app.mount("/static", StaticScripts(STATIC))
    app.add_exception_handler(refusal.Refusal, refusal.handle_refusal)
    app.add_exception_handler(HTTPException, refusal.handle_http_exception)
    app.add_exception_handler(RequestValidationError, refusal.handle_invalid)
    app.add_exception_handler(CannotWrite, _handle_full_disk)
    _describe_token(app, needs_token=token is not None)
    _add_middleware(app, settings, token, metrics, file_paths or {})
    return app


def _add_middleware(
    app: FastAPI,
    settings: HttpSettings,
    token: str | None,
    metrics: HttpMetrics,
    file_paths: Mapping[str, int],
) -> None:
    """Put checks before the routes; a request meets the last one that is added first."""
    app.add_middleware(
        ClientLimits,
        most_bytes={"/classify": settings.max_body_mb << 20, **file_paths},
        most_requests=settings.max_requests,
        seconds=settings.timeout_seconds,
    )
    app.add_middleware(TokenCheck, token=token, open_paths=OPEN_PATHS)
    app.add_middleware(
        RequestGuard,
        hosts=["localhost", *settings.hosts],
        most_body_bytes=None,
        refuse=refusal.of_status,
    )
    app.add_middleware(CountRequests, metrics=metrics)


def _describe_token(app: FastAPI, *, needs_token: bool) -> None:
    """Add the token, which no route checks itself, to the OpenAPI description."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        schema = described()
        if needs_token and "security" not in schema:
            schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
            schemes["token"] = {"type": "http", "scheme": "bearer"}
            schema["security"] = [{"token": []}]
            schema["paths"]["/health"]["get"]["security"] = []
        return schema

    app.openapi = openapi  # type: ignore[method-assign]


def _handle_full_disk(_: Request, error: Exception) -> Response:
    return refusal.disk_full().response()
