"""Routes for those who run the service: health, readiness, metrics and the status page."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import HTMLResponse, PlainTextResponse

from cxrview.service.engine import Engine
from cxrview.service.http.batch_jobs import BatchJobs
from cxrview.service.http.metrics import CONTENT_TYPE, HttpMetrics
from cxrview.service.http.records import Health
from cxrview.service.http.refusal import Refusal
from cxrview.service.http.responses import refusals
from cxrview.service.http.status_page import QueueStatus, Status, render_status

HOURS = 24
"""Hours that the status page draws."""
MIN_FREE_BYTES = 64 << 20
"""Free space on the disk of the service below which it is not ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What the routes ask."""

    engine: Engine
    jobs: BatchJobs
    metrics: HttpMetrics
    store: QueueStatus | None
    folder: Path
    """Of the service, on whose disk it writes."""
    more_troubles: Callable[[], Sequence[str]]
    """Why other parts of the service do not work; no path and no header value."""
    now: Callable[[], float]
    started: float

    def troubles(self) -> list[str]:
        """Why the service is not ready; empty if it is."""
        found = []
        if not self.engine.is_alive:
            found.append("The engine has ended: restart the service")
        elif self.engine.trouble:
            found.append("The last file could not be classified: look at the log")
        try:
            if shutil.disk_usage(self.folder).free < MIN_FREE_BYTES:
                found.append("The disk of the service is full: free space there")
        except OSError:
            found.append("The disk of the service is not available: is it mounted?")
        return [*found, *self.more_troubles()]

    def status(self) -> Status:
        """Collect what the status page shows."""
        store = self.store
        return Status(
            counts=store.counts() if store else None,
            hours=store.hours(HOURS) if store else (),
            dead_letters=store.dead_letters() if store else (),
            jobs=self.jobs.all(),
            answered=dict(self.metrics.answered),
            troubles=self.troubles(),
            model=self.engine.model.card.model_id,
            version=version("cxrview"),
            started=self.started,
            now=self.now(),
        )


def operations_router(operations: Operations) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["operations"])

    @router.get("/health", summary="Whether the process answers", response_model=Health)
    async def health() -> Health:
        """For a supervisor that restarts the service; it needs no token."""
        return Health(status="ok")

    @router.get(
        "/ready",
        summary="Whether files can be sent",
        response_model=Health,
        responses=refusals(401, 503),
    )
    def ready() -> Health:
        """For a load balancer: 503 while the engine or the disk does not work."""
        if troubles := operations.troubles():
            raise Refusal(503, "not_ready", troubles[0].partition(":")[0], "See the status page")
        return Health(status="ready")

    @router.get(
        "/metrics",
        summary="Metrics of Prometheus",
        response_class=PlainTextResponse,
        responses=refusals(401),
    )
    def metrics() -> PlainTextResponse:
        """Counts of the queue and of HTTP."""
        return PlainTextResponse(operations.metrics.text(), media_type=CONTENT_TYPE)

    @router.get("/", response_class=HTMLResponse, summary="Status page", responses=refusals(401))
    def page() -> HTMLResponse:
        """For a person."""
        return HTMLResponse(render_status(operations.status()))

    return router
