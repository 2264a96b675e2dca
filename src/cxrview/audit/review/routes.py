"""Routes of a review: the page, the images that come next, their pictures, and decisions."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field

from cxrview.audit.review.access import Access, Allowed
from cxrview.audit.review.decision_log import Decided
from cxrview.audit.review.doubtful_images import DoubtfulImage, Reason
from cxrview.audit.review.review_files import ReviewFiles
from cxrview.audit.review.review_state import ReviewState, SentAction
from cxrview.errors import CxrviewError
from cxrview.reports.format import fill_template
from cxrview.terms import Projection
from cxrview.web.picture_cache import EDGES, PictureCache
from cxrview.web.picture_pool import NoPicture

routes = APIRouter()

_AHEAD = 3
"""Pictures rendered ahead of those that the page fetches, in the size and window last requested."""
_RECENT = 50
_THUMBNAIL = 256
_REVIEW = "The model is not sure"

Tab = Annotated[str, Query(pattern=r"^[0-9a-f]{1,32}$")]
Held = Annotated[str, Query(max_length=4000, pattern=r"^([0-9a-f]{16}(,[0-9a-f]{16})*)?$")]
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{16,32}$")]


class ActionSent(BaseModel):
    """An action as a page sends it."""

    uid: _Hex
    showing: _Hex
    act: Literal["accept", "reject", "unreadable", "undo", "skip"]
    projection: Projection | None = None
    undoes: Annotated[str, Field(pattern=r"^([0-9a-f]{16,32})?$")] = ""


class BatchSent(BaseModel):
    """Some actions, in their order."""

    actions: Annotated[list[ActionSent], Field(max_length=200)]


@routes.get("/")
def show_page(request: Request, token: str = "") -> Response:
    """Show the page to a browser with the token or the cookie."""
    access: Access = request.app.state.access
    has_token = access.is_right(token)
    if not has_token and not access.has_cookie(request):
        return HTMLResponse(_render("refused.html"), 403)
    files: ReviewFiles = request.app.state.files
    html = _render(
        "review.html",
        csrf=access.csrf,
        queue_key=files.key,
        table=files.table.name,
        decisions=str(files.csv),
        who=request.app.state.who,
        masks_border=request.app.state.masks_border,
    )
    response = HTMLResponse(html)
    access.set_cookie(response)
    return response


@routes.get("/api/next")
def following(
    request: Request,
    _: Allowed,
    tab: Tab,
    count: Annotated[int, Query(ge=0, le=20)] = 6,
    held: Held = "",
) -> dict[str, Any]:
    """Return the next images that the tab does not hold, and those held that are decided.

    With a count of 0 the tab only keeps what it holds.
    """
    state: ReviewState = request.app.state.review
    has = [one for one in held.split(",") if one]
    images = state.following(tab, count, has, ahead=_AHEAD)
    edge = request.app.state.edge
    if edge:
        paths = [_path(request, image) for image in images]
        pictures: PictureCache = request.app.state.pictures
        pictures.prefetch(paths, edge, request.app.state.window)
    items = [_item(request, image, state.decision_on(image)) for image in images[:count]]
    return {"items": items, "finished": state.finished(tab, has), **_counts(state)}


@routes.get("/api/recent")
def recent(request: Request, _: Allowed) -> dict[str, Any]:
    """Return the images that were decided last, for an undo after the page was reloaded."""
    state: ReviewState = request.app.state.review
    return {"items": [_item(request, image, decided) for image, decided in state.latest(_RECENT)]}


@routes.post("/api/decisions")
def decide(request: Request, _: Allowed, sent: BatchSent) -> dict[str, Any]:
    """Write decisions; those that are returned as written are on the disk."""
    state: ReviewState = request.app.state.review
    refused = state.submit(SentAction(**dict(one)) for one in sent.actions)
    return {
        "written": [one.uid for one in sent.actions if one.uid not in refused],
        "refused": [{"uid": uid, "why": why} for uid, why in refused.items()],
        **_counts(state),
    }


@routes.post("/api/skipped")
def show_skipped(request: Request, _: Allowed) -> dict[str, Any]:
    """Put skipped images back into the list."""
    state: ReviewState = request.app.state.review
    state.show_skipped_again()
    return _counts(state)


@routes.get("/api/picture/{showing}")
async def picture(
    request: Request,
    _: Allowed,
    showing: str,
    edge: Annotated[Literal["256", "1024", "1536", "2048", "full"], Query()] = "1536",
    window: Annotated[Literal["minmax", "auto"], Query()] = "minmax",
) -> Response:
    """Return a grey JPEG that fits into a square of `edge` pixels, or a PNG of all pixels."""
    state: ReviewState = request.app.state.review
    image = state.find(showing)
    if image is None:
        raise HTTPException(404, "Image not found.")
    if EDGES[edge] > _THUMBNAIL:
        request.app.state.edge, request.app.state.window = EDGES[edge], window
    pictures: PictureCache = request.app.state.pictures
    try:
        # Shielded: other requests may wait for the same picture when this browser disconnects.
        made = pictures.get(_path(request, image), EDGES[edge], window)
        content = await asyncio.shield(asyncio.wrap_future(made))
    except NoPicture as error:
        return JSONResponse({"why": str(error)}, 422)
    kind = "image/jpeg" if EDGES[edge] else "image/png"
    return Response(content, media_type=kind, headers={"Cache-Control": "no-store"})


@routes.get("/decisions.csv")
def export(request: Request, _: Allowed) -> Response:
    """Write the CSV file, and send it to the browser.

    Raises:
        HTTPException: 409, the file was edited and has mistakes.
    """
    files: ReviewFiles = request.app.state.files
    try:
        with request.app.state.review.paused():
            files.save()
        if not files.csv.exists():
            raise HTTPException(409, "Nothing is decided yet.")
        content = files.csv.read_bytes()
    except CxrviewError as error:
        raise HTTPException(409, str(error)) from error
    name = "attachment; filename=decisions.csv"
    return Response(content, media_type="text/csv", headers={"Content-Disposition": name})


def _path(request: Request, image: DoubtfulImage) -> str:
    """The path for the pictures, which look up what the file must contain."""
    files: ReviewFiles = request.app.state.files
    path = files.path_of(image)
    request.app.state.content_ids[path] = image.content_id
    return path


def _item(request: Request, image: DoubtfulImage, decided: Decided | None) -> dict[str, Any]:
    other = f"The {request.app.state.who} names the other view"
    item: dict[str, Any] = {
        "showing": image.showing,
        "path": image.path,
        "reason": other if image.reason is Reason.DISAGREES else _REVIEW,
        "header": image.header,
        "header_view": image.header_view,
        "proposed": image.proposed,
        "by": "readers" if image.is_labelled else "model",
        "pfi": image.pfi,
    }
    if decided:
        item |= {"uid": decided.uid, "said": decided.decision.decision}
    return item


def _counts(state: ReviewState) -> dict[str, int]:
    progress = state.progress()
    return asdict(progress) | {"left": progress.left}


def _render(name: str, **context: Any) -> str:
    return fill_template(
        "cxrview.audit.review", name, context, is_html=True, finalize=lambda value: value
    )
