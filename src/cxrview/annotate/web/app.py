"""The web application of one annotation study: its state, routes and middleware."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.web import flagged, own_readings, tabs
from cxrview.annotate.web.auth import Sessions
from cxrview.annotate.web.database_watch import DatabaseWatch
from cxrview.annotate.web.login_throttle import LoginThrottle
from cxrview.annotate.web.routes import admin as admin_routes
from cxrview.annotate.web.routes import pages as page_routes
from cxrview.annotate.web.routes import pictures as picture_routes
from cxrview.annotate.web.routes import reading as reading_routes
from cxrview.annotate.web.routes import settling as settling_routes
from cxrview.annotate.web.routes import sign_in
from cxrview.annotate.web.settings import ServeSettings
from cxrview.annotate.web.state import StudyState
from cxrview.annotate.web.templates import STATIC, error_page, validation_error_page
from cxrview.web.middleware import RequestGuard
from cxrview.web.picture_cache import PictureCache
from cxrview.web.static_files import StaticScripts

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
    """Create the web application of one study.

    Args:
        store: the open study; the caller closes it.
        settings: None for the defaults.

    Returns:
        An ASGI application. Its worker processes start with the first picture and end with it.
    """
    settings = settings or ServeSettings()
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_closing)
    app.state.settings = settings
    app.state.study_state = StudyState(store, settings)
    app.state.sessions = Sessions(store, settings)
    app.state.pictures = PictureCache(settings, app.state.study_state.content_id_at)
    app.state.login_throttle = LoginThrottle()
    app.state.edges = {}  # by reader id, the edge of the last picture requested
    app.state.windows = {}  # by reader id, the window of the last picture requested
    for routes in ROUTERS:
        app.include_router(routes)
    app.mount("/static", StaticScripts(STATIC))
    app.add_exception_handler(HTTPException, error_page)
    app.add_exception_handler(RequestValidationError, validation_error_page)
    app.state.database = DatabaseWatch()
    app.add_middleware(
        RequestGuard,
        hosts=settings.hosts,
        host_advice="If it is to be, start it with cxrview annotate serve --name and that name.",
        is_https_only=settings.is_https_only,
        storage=app.state.database,
    )
    return app


@asynccontextmanager
async def _closing(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.pictures.close()
