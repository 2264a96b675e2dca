"""The web application of a review: its state, routes and middleware."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cxrview.audit.review.access import Access
from cxrview.audit.review.doubtful_images import DoubtfulImage
from cxrview.audit.review.review_files import ReviewFiles
from cxrview.audit.review.review_state import ReviewState
from cxrview.audit.review.routes import routes
from cxrview.errors import CannotWrite
from cxrview.web.middleware import RequestGuard
from cxrview.web.picture_cache import PictureCache
from cxrview.web.settings import PictureSettings
from cxrview.web.static_files import StaticScripts

STATIC = Path(__file__).parent / "static"
_log = logging.getLogger(__name__)


def review_app(
    images: Sequence[DoubtfulImage],
    files: ReviewFiles,
    *,
    reader: str = "",
    who: str = "header",
    settings: PictureSettings | None = None,
) -> FastAPI:
    """Create the web application of a review.

    Args:
        images: to be looked at, in the order in which they are shown.
        files: where decisions go; the caller closes the log.
        reader: name of the person, written with each decision.
        who: says which view an image shows, according to the page: the header, or a table.
        settings: of the pictures; None for the defaults.

    Returns:
        An ASGI application; `app.state.access.token` opens its page. Its worker processes start
        with the first picture and end with it.
    """
    settings = settings or PictureSettings()
    content_ids: dict[str, str] = {}
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_closing)
    app.state.access = Access()
    app.state.files = files
    app.state.review = ReviewState(images, files.log, reader)
    app.state.content_ids = content_ids  # by path, of images whose picture was requested
    app.state.pictures = PictureCache(settings, lambda path: content_ids.get(path, ""))
    app.state.who = who
    app.state.masks_border = settings.masks_border
    app.state.edge, app.state.window = None, ""  # of the last picture that was requested
    app.include_router(routes)
    app.mount("/static", StaticScripts(STATIC))
    app.add_exception_handler(HTTPException, _error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(CannotWrite, _cannot_write)
    app.add_middleware(RequestGuard, hosts=["localhost"], host_advice="Use 127.0.0.1.")
    return app


@asynccontextmanager
async def _closing(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.pictures.close()


def _error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"why": error.detail}, error.status_code)


def _invalid(_: Request, error: Exception) -> Response:
    """Name the fields that are invalid, never their values."""
    assert isinstance(error, RequestValidationError)
    fields = {str(part) for one in error.errors() for part in one["loc"][1:]}
    return JSONResponse({"why": f"Invalid field: {', '.join(sorted(fields))}"}, 422)


def _cannot_write(_: Request, error: Exception) -> Response:
    """The page keeps what was not written and sends it again."""
    _log.error("%s. Decisions wait in the browser.", error)
    return JSONResponse({"why": str(error)}, 507)
