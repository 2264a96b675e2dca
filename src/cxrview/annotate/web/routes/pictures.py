"""The route of the pictures, by showing ids that reveal nothing."""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from cxrview.annotate.web.auth import SignedIn
from cxrview.annotate.web.content_check import file_facts
from cxrview.annotate.web.routes.settling import has_conflict
from cxrview.annotate.web.state import StudyState
from cxrview.errors import Replaced
from cxrview.terms import ReadingRound
from cxrview.web.picture_cache import EDGES, PictureCache
from cxrview.web.picture_pool import NoPicture

routes = APIRouter(prefix="/api")

_THUMBNAIL = 256
_Edge = Annotated[Literal["256", "1024", "1536", "2048", "full"], Query()]
_Window = Annotated[Literal["minmax", "auto"], Query()]


@dataclass(frozen=True, slots=True)
class ShownFile:
    """The file that a showing stands for."""

    image_id: str
    path: str


def file_shown(
    request: Request,
    login: SignedIn,
    showing: Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")],
) -> ShownFile:
    """Return the file that a showing of this reader stands for.

    Raises:
        HTTPException: 404, it is not a showing of this reader, or not open to them now.
    """
    state: StudyState = request.app.state.study_state
    state.refresh()
    place = state.place_of(login.reader, showing)
    with state.lock:
        if place is None or not _is_open(state, *place[:2]):
            raise HTTPException(404, "Image not found.")
        return ShownFile(place[0], state.path_of(place[0]))


@routes.get("/picture/{showing}")
async def picture(
    request: Request,
    login: SignedIn,
    shown: Annotated[ShownFile, Depends(file_shown)],
    edge: _Edge = "1536",
    window: _Window = "minmax",
) -> Response:
    """Return a grey JPEG that fits into a square of `edge` pixels, or a PNG of all pixels.

    `window=auto` spreads the grey levels by percentiles of the values in their full depth.
    """
    pictures: PictureCache = request.app.state.pictures
    request.app.state.windows[login.reader.reader_id] = window
    if EDGES[edge] > _THUMBNAIL:
        request.app.state.edges[login.reader.reader_id] = EDGES[edge]
    try:
        # Shielded: other requests may wait for the same picture when this browser disconnects.
        made = pictures.get(shown.path, EDGES[edge], window)
        content = await asyncio.shield(asyncio.wrap_future(made))
    except NoPicture as error:
        if str(error).startswith(f"{Replaced.code}:"):
            content_check = request.app.state.study_state.content
            content_check.note(shown.image_id, file_facts(shown.path), is_replaced=True)
        return JSONResponse({"why": str(error)}, 422)
    return Response(
        content,
        media_type="image/jpeg" if EDGES[edge] else "image/png",
        headers={"Cache-Control": "no-store"},  # workstations are shared
    )


def _is_open(state: StudyState, image_id: str, shown_in: ReadingRound) -> bool:
    if shown_in is ReadingRound.ADJUDICATION:
        return has_conflict(state, image_id) or state.is_flagged(image_id)
    return shown_in is ReadingRound.BLIND or state.blind_round_closed is not None
