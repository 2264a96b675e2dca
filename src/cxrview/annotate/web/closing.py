"""Closes the blind round, once whoever does it has been told what is still unread."""

from dataclasses import dataclass
from datetime import datetime

from cxrview.annotate.web.state import StudyState
from cxrview.terms import Role


@dataclass(frozen=True, slots=True)
class Unread:
    """What one reader has still to read."""

    name: str
    left: int


def unread(room: StudyState) -> list[Unread]:
    """Every active reader who has something left to read blind, in the order of the readers."""
    active = [one for one in room.readers if Role.READER in one.roles and not one.is_retired]
    told = [Unread(one.name, room.list_of(one).left) for one in active]
    return [one for one in told if one.left]


def close_blind_round(
    room: StudyState, when: datetime, *, even_so_left: int | None, late_seconds: float
) -> list[Unread]:
    """Close it for good, unless something is unread of which the asker has not been told.

    Args:
        room: the study.
        when: now.
        even_so_left: readings that the asker knows to be left and gives up; None where none are.
        late_seconds: for how long what was read before is still taken when it arrives late.

    Returns:
        What is unread where it was therefore not closed; empty where the round is closed now.
    """
    room.look()
    with room.lock:
        if room.blind_round_closed is None:
            waiting = unread(room)
            left = sum(one.left for one in waiting)
            if left and even_so_left != left:
                return waiting
            room.store.close_blind_round(when, late_seconds=late_seconds, left=left)
            room.look_at_log()
    return []
