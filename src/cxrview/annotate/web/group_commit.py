"""Group commit: readings of concurrent requests are written in one transaction."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from cxrview.annotate.database.store import ReadingStore
from cxrview.records.annotation import Reading


@dataclass(slots=True)
class _PendingWrite:
    """The readings of one request."""

    readings: Sequence[Reading]
    is_written: bool = False


class GroupCommitWriter:
    """One thread writes at a time, and also writes what others queued while it waited.

    Without it twenty concurrent requests would wait for twenty commits one after another.
    """

    def __init__(self, store: ReadingStore) -> None:
        self._store = store
        self._writing = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: list[_PendingWrite] = []

    def write(self, readings: Sequence[Reading]) -> None:
        """Append readings to the study; they are on the disk when this returns."""
        mine = _PendingWrite(readings)
        with self._lock:
            self._waiting.append(mine)
        with self._writing:
            if mine.is_written:
                return
            with self._lock:
                batches, self._waiting = self._waiting, []
            self._write_batches(batches, mine)

    def _write_batches(self, batches: list[_PendingWrite], mine: _PendingWrite) -> None:
        try:
            self._store.add_readings([one for batch in batches for one in batch.readings])
        except Exception:  # raised again below if it was caused by the readings of this request
            # The cause may be the readings of any request: each of the others writes its own.
            with self._lock:
                self._waiting += [one for one in batches if one is not mine]
            self._store.add_readings(mine.readings)
        else:
            for batch in batches:
                batch.is_written = True
