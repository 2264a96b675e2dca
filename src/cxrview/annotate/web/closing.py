"""Close the blind round, after the person who closes it has confirmed what is unread."""

from dataclasses import dataclass
from datetime import datetime

from cxrview.annotate.web.state import StudyState
from cxrview.terms import Role


@dataclass(frozen=True, slots=True)
class Unread:
    """How many blind readings one reader has left."""

    name: str
    left: int


def unread(state: StudyState) -> list[Unread]:
    """Return the active readers who have blind readings left, in the order of the readers."""
    active = [one for one in state.readers if Role.READER in one.roles and not one.is_retired]
    found = [Unread(one.name, state.list_of(one).left) for one in active]
    return [one for one in found if one.left]


def close_blind_round(
    state: StudyState, when: datetime, *, even_so_left: int | None, late_seconds: float
) -> list[Unread]:
    """Close the blind round permanently, unless readings are left that were not confirmed.

    Args:
        state: the served study.
        when: now.
        even_so_left: how many readings the caller knows to be left and gives up; None for none.
        late_seconds: for how long a reading that was made before is still accepted.

    Returns:
        The readers with readings left, if the round was not closed for that; empty if it is closed.
    """
    state.refresh()
    with state.lock:
        if state.blind_round_closed is None:
            waiting = unread(state)
            left = sum(one.left for one in waiting)
            if left and even_so_left != left:
                return waiting
            state.store.close_blind_round(when, late_seconds=late_seconds, left=left)
            state.refresh_log()
    return []
