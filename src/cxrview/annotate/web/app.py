"""Puts the annotation room together: one study, its routes, and what stands before them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.web import flagged, own_readings, tabs
from cxrview.annotate.web.auth import LoginThrottle, Sessions
from cxrview.annotate.web.database_watch import DatabaseWatch
from cxrview.annotate.web.middleware import RequestGuard
from cxrview.annotate.web.pictures import Pictures
from cxrview.annotate.web.routes import admin as admin_routes
from cxrview.annotate.web.routes import pages as page_routes
from cxrview.annotate.web.routes import pictures as picture_routes
from cxrview.annotate.web.routes import reading as reading_routes
from cxrview.annotate.web.routes import settling as settling_routes
from cxrview.annotate.web.routes import sign_in
from cxrview.annotate.web.settings import ServeSettings
from cxrview.annotate.web.state import StudyState
from cxrview.annotate.web.templates import STATIC, tell, tell_invalid

ROUTERS = tuple(
    part.routes
    for part in (
        sign_in,
        page_routes,
        own_readings,
        flagged,
        reading_routes,
        settling_routes,
        tabs,
        picture_routes,
        admin_routes,
    )
)


def annotation_app(store: ReadingStore, settings: ServeSettings | None = None) -> FastAPI:
    """Make the web application of one study.

    Args:
        store: of the study; whoever opened it closes it.
        settings: the defaults where None.

    Returns:
        An ASGI application. Its processes are started with the first picture and end with it.
    """
    settings = settings or ServeSettings()
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_closing)
    app.state.settings = settings
    app.state.room = StudyState(store, settings)
    app.state.door = Sessions(store, settings)
    app.state.pictures = Pictures(settings, app.state.room.content_id_at)
    app.state.slowdown = LoginThrottle()
    app.state.edges = {}  # by reader id, the edge of the pictures that were last asked for
    app.state.windows = {}  # by reader id, their window
    for routes in ROUTERS:
        app.include_router(routes)
    app.mount("/static", _Static(directory=STATIC, check_dir=False))
    app.add_exception_handler(HTTPException, tell)
    app.add_exception_handler(RequestValidationError, tell_invalid)
    app.state.database = DatabaseWatch()
    app.add_middleware(
        RequestGuard,
        hosts=settings.hosts,
        is_https_only=settings.is_https_only,
        database=app.state.database,
    )
    return app


@asynccontextmanager
async def _closing(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.pictures.close()


class _Static(StaticFiles):
    """Scripts and style sheets, asked about at each load, so that a newer cxrview is not mixed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
