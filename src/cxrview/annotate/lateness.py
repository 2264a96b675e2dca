"""Late readings: those that reached the server after the blind round was closed, but count."""

from collections.abc import Iterable
from datetime import datetime

from cxrview.records import Reading
from cxrview.terms import Method, ReadingRound


def is_late(reading: Reading, closed: datetime | None) -> bool:
    """Whether a blind reading arrived after the closing, having waited in a browser.

    Args:
        reading: as it is stored.
        closed: when the blind round was closed; None while it is open.
    """
    if closed is None or reading.received is None or reading.how is Method.IMPORT:
        return False
    return reading.round is ReadingRound.BLIND and reading.received > closed


def count_late(readings: Iterable[Reading], closed: datetime | None) -> dict[int, int]:
    """Count late readings by reader id; readers without any are left out."""
    late: dict[int, int] = {}
    for reading in readings:
        if is_late(reading, closed):
            late[reading.reader_id] = late.get(reading.reader_id, 0) + 1
    return late
