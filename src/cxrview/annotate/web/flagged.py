"""The adjudicators' page of the images that readers flagged for discussion."""

from collections import defaultdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from cxrview.annotate.effective import ReadingSlot
from cxrview.annotate.web.auth import AdjudicatorLogin
from cxrview.annotate.web.routes.pages import study_page
from cxrview.annotate.web.shown_items import random_order
from cxrview.annotate.web.state import StudyState
from cxrview.records.annotation import Reader
from cxrview.terms import ReadingRound, Role

routes = APIRouter()

_ON_A_PAGE = 50


@routes.get("/flagged")
def flagged(
    request: Request, login: AdjudicatorLogin, after: Annotated[int, Query(ge=0, le=10**9)] = 0
) -> HTMLResponse:
    """List the images that readers flagged, with their notes and without their names.

    The notes may say what a reader thinks of an image, so that each image on the page is recorded
    as revealed to this adjudicator.
    """
    state: StudyState = request.app.state.study_state
    state.refresh()
    with state.lock:
        by_image = flags_for(state, login.reader)
        image_ids = list(by_image)[after : after + _ON_A_PAGE]
        state.record_reveals(login.reader, image_ids, ReadingRound.ADJUDICATION)
        rows = [_row(state, login.reader, one, by_image[one]) for one in image_ids]
    return study_page(
        request,
        login,
        "flagged",
        rows=rows,
        images=len(by_image),
        next_after=after + _ON_A_PAGE if len(by_image) > after + _ON_A_PAGE else None,
        previous_after=max(0, after - _ON_A_PAGE) if after else None,
    )


def flags_for(state: StudyState, reader: Reader) -> dict[str, list[ReadingSlot]]:
    """Return the flags of all readers by image id, the image flagged last first.

    Images that this adjudicator has still to read blind are left out.

    Args:
        state: the served study; the caller holds its lock.
        reader: the adjudicator.
    """
    reads = Role.READER in reader.roles and state.blind_round_closed is None
    own_list = state.list_of(reader) if reads else None
    found: defaultdict[str, list[ReadingSlot]] = defaultdict(list)
    for slot in reversed(state.effective.flags):
        image_id = slot[1]
        if own_list is None or own_list.is_read(image_id):
            found[image_id].append(slot)
    return dict(found)


def _row(
    state: StudyState, reader: Reader, image_id: str, slots: list[ReadingSlot]
) -> dict[str, Any]:
    slots = sorted(slots, key=lambda slot: random_order(state, f"{image_id} {slot[0]}"))
    notes = []
    for slot in slots:
        verdict = state.effective.verdicts.get(slot)
        notes += [one.note for one in (state.effective.flags[slot], verdict) if one and one.note]
    return {
        "showing": state.showing_of(reader, (image_id, ReadingRound.ADJUDICATION, 0)),
        "flags": len({slot[0] for slot in slots}),
        "notes": list(dict.fromkeys(notes)),
        "status": str(state.label_statuses.all()[image_id].how),
    }
