"""Writes readings down for many requests at once, so that they share the wait for the disk."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from cxrview.annotate.database.store import ReadingStore
from cxrview.records import Reading


@dataclass(slots=True)
class _PendingWrite:
    """What one request has to write."""

    readings: Sequence[Reading]
    is_written: bool = False


class GroupCommitWriter:
    """One writer at a time, who takes along whatever others brought while he waited.

    Twenty readers who each wait for the disk alone wait twenty times as long.
    """

    def __init__(self, store: ReadingStore) -> None:
        self._store = store
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[_PendingWrite] = []

    def write(self, readings: Sequence[Reading]) -> None:
        """Append readings to the store; they are on the disk when this returns."""
        mine = _PendingWrite(readings)
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            if mine.is_written:
                return
            with self._lock:
                pages, self._waiting = self._waiting, []
            self._write_pages(pages, mine)

    def _write_pages(self, pages: list[_PendingWrite], mine: _PendingWrite) -> None:
        try:
            self._store.add_readings([one for page in pages for one in page.readings])
        except Exception:  # raised again by the next line, if it was this request's own fault
            # Whose it was, nobody knows: each of the others tries for himself.
            with self._lock:
                self._waiting += [page for page in pages if page is not mine]
            self._store.add_readings(mine.readings)
        else:
            for page in pages:
                page.is_written = True
