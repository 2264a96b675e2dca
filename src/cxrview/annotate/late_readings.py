"""Late readings, which reached the server after the blind round was closed, and count."""

from collections.abc import Iterable
from datetime import datetime

from cxrview.records.annotation import Reading
from cxrview.terms import Method, ReadingRound


def is_late(reading: Reading, closed: datetime | None) -> bool:
    """Whether a blind reading waited in a browser and arrived after the closing.

    Args:
        reading: as stored.
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
