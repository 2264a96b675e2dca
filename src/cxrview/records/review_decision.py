"""A person's decision about the view that is proposed for one image."""

from dataclasses import dataclass
from datetime import datetime

from cxrview.terms import Projection, Ruling, View


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDecision:
    """What a person decided about the view that is proposed for one image.

    Raises:
        ValueError: the path is empty, the time has no offset from UTC, or ruling, view and
            projection contradict one another.
    """

    path: str
    """As the result has it in its column `path`."""
    content_id: str = ""
    """Of the file that was classified; empty where the result has none."""
    proposed: View | None = None
    """The view that was proposed; None where none was."""
    decision: Ruling
    view: View | None = None
    """What the image shows: the proposed view if it is accepted, the other one if the person says
    so, None if it is unreadable or the person named no other view."""
    projection: Projection | None = None
    """None unless the person gave it."""
    reader: str = ""
    """Who decided."""
    decided_at: datetime
    """With its offset from UTC."""
    note: str = ""

    def __post_init__(self) -> None:
        if not self.path:
            raise ValueError("a decision needs the path of its image")
        if self.decided_at.utcoffset() is None:
            raise ValueError("decided_at needs an offset from UTC")
        if found := contradictions(self.decision, self.proposed, self.view, self.projection):
            _, reason, allowed = found[0]
            raise ValueError(f"{reason}: {allowed}")


def contradictions(
    decision: Ruling, proposed: View | None, view: View | None, projection: Projection | None
) -> list[tuple[str, str, str]]:
    """Find what in a decision contradicts the rest of it.

    Returns:
        For each contradiction the field, what is wrong with it, and what is allowed there.
    """
    found = []
    if decision is Ruling.ACCEPT and proposed is None:
        found.append(("proposed", "nothing is proposed that could be accepted", "a view"))
    elif decision is Ruling.ACCEPT and view is not proposed:
        found.append(("view", "it is not the accepted view", f"{proposed}, or decision reject"))
    elif decision is Ruling.REJECT and view is not None and view is proposed:
        found.append(("view", "it is the rejected view", "the other view, empty, or accept"))
    elif decision is Ruling.UNREADABLE and view is not None:
        found.append(("view", "an unreadable image has no view", "an empty cell"))
    if projection is not None and projection.view is not view:
        allowed = [one.value for one in Projection if one.view is view]
        reason = f"it is not a projection of a {view} view" if view else "there is no view"
        found.append(("projection", reason, ", ".join([*allowed, "an empty cell"])))
    return found
