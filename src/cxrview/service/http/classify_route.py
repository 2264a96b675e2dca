"""POST /classify: one file in, one row out."""

import asyncio
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from cxrview.errors import RunStopped
from cxrview.records.classification import Failure, Outcome
from cxrview.results.columns import prediction_row
from cxrview.service.engine import Engine
from cxrview.service.http.metrics import HttpMetrics
from cxrview.service.http.records import Row
from cxrview.service.http.refusal import Refusal, for_failure, for_stopped
from cxrview.service.http.responses import refusals
from cxrview.service.http.upload import receive_upload
from cxrview.service.log import log_event

FILE_TYPES = (
    "application/dicom",
    "image/png",
    "image/jpeg",
    "image/tiff",
    "application/octet-stream",
)
_BINARY = {"type": "string", "format": "binary"}
_BODY: dict[str, Any] = {
    "required": True,
    "content": {kind: {"schema": _BINARY} for kind in FILE_TYPES}
    | {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": _BINARY},
            }
        }
    },
}


def classify_router(
    engine: Engine, metrics: HttpMetrics, folder: Path, seconds: float
) -> APIRouter:
    """Make the route.

    Args:
        engine: of all entrances.
        metrics: counts outcomes.
        folder: for files while they are classified.
        seconds: to wait for an outcome.
    """
    router = APIRouter(tags=["classify"])

    @router.post(
        "/classify",
        summary="Classify one file",
        response_model=Row,
        openapi_extra={"requestBody": _BODY},
        responses=refusals(400, 401, 408, 413, 415, 422, 429, 503, 504, 507),
    )
    async def classify(request: Request) -> JSONResponse:
        """Send a DICOM, PNG, JPEG or TIFF file as the body, or as the one file of a form.

        The answer is the row that `cxrview classify` writes for it. The kind of file is recognised
        by its content. The file is removed when it is answered.
        """
        began = time.monotonic()
        async with receive_upload(request, folder) as upload:
            outcome = await _outcome(engine.submit(str(upload.path), is_urgent=True), seconds)
        metrics.count_outcome(outcome, time.monotonic() - began)
        if isinstance(outcome, Failure):
            log_event("failed", entrance="rest", code=outcome.code)
            raise for_failure(outcome)
        log_event("classified", entrance="rest", decision=outcome.decision)
        return JSONResponse(prediction_row(outcome) | {"path": upload.name})

    return router


async def _outcome(future: "Future[Outcome]", seconds: float) -> Outcome:
    """Wait for an outcome.

    Raises:
        Refusal: there is none in time, or the engine does not work.
    """
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), seconds)
    except TimeoutError:
        raise Refusal(
            504, "timeout", "classifying it took too long", "Send it again when less is waiting"
        ) from None
    except RunStopped as error:
        raise for_stopped(error) from error
