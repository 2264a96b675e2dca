"""Render the HTML templates and the error pages."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

PAGES = Path(__file__).parent / "pages"
STATIC = Path(__file__).parent / "static"
_TITLES = {403: "No access", 404: "Page not found", 409: "Not yet", 429: "Too many attempts"}
_NO_PAGE = "The address is not one of this server's pages. Check it, or begin at the first page."


def page(name: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a template.

    Args:
        name: of the template, without `.html`.
        status: HTTP status of the response.
        context: the variables of the template.
    """
    template = _templates().get_template(f"{name}.html")
    return HTMLResponse(template.render(page=name, **context), status)


def error_page(request: Request, error: Exception) -> Response:
    """Answer an HTTP error with JSON for a script, else a page or a redirect to the sign-in."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if request.url.path.startswith("/api/"):
        return JSONResponse({"why": error.detail}, error.status_code, headers)
    if error.status_code == 401:
        return RedirectResponse("/sign-in", 303)
    answer = page(
        "error",
        error.status_code,
        title=_TITLES.get(error.status_code, "That cannot be done"),
        why=_NO_PAGE if error.detail == "Not Found" else error.detail,
        study_name=request.app.state.study_state.study.name,
    )
    answer.headers.update(headers)
    return answer


def validation_error_page(request: Request, error: Exception) -> Response:
    """Answer invalid input with the names of its fields, never with their values."""
    assert isinstance(error, RequestValidationError)
    fields = {str(part) for one in error.errors() for part in one["loc"][1:]}
    return JSONResponse({"why": f"Invalid field: {', '.join(sorted(fields))}"}, 422)


@lru_cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
