"""Token-bucket limit on the rate at which all workers together read.

The parent takes the size of a file from the bucket just before a worker opens it, so that processes
need not share the bucket. The worker determines the size, so that a store that does not answer
delays only one file. The size of the complete file counts, even if only a part of it is read, since
the limit protects other users of the disk.
"""

import os
import threading
import time
from collections.abc import Callable

from cxrview.sources.paths import file_system, local_path

FULL_SECONDS = 1.0
"""Capacity of the bucket in seconds of the rate, which may be read at once after a pause. It is
empty at the first file, so that the limit holds for short runs, too."""


class RateLimiter:
    """A token bucket of bytes; safe from any thread.

    Args:
        bytes_per_second: above 0.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, bytes_per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._clock = bytes_per_second, clock
        self._bytes = 0.0
        self._looked: float | None = None
        self._lock = threading.Lock()

    def take(self, size: int) -> float:
        """Take `size` bytes, and return the seconds to wait before they are read."""
        with self._lock:
            now = self._clock()
            flowed = 0.0 if self._looked is None else (now - self._looked) * self._rate
            self._bytes = min(self._rate * FULL_SECONDS, self._bytes + flowed) - size
            self._looked = now
            return max(0.0, -self._bytes / self._rate)


def size_of(path: str) -> int:
    """Return the bytes of a file or URL; 0 if unknown: opening it reports the reason."""
    try:
        if local := local_path(path):
            return os.stat(local).st_size  # noqa: PTH116 (a path may hold odd bytes)
        with file_system(path) as (files, name):
            return int(files.size(name) or 0)
    except Exception:  # file systems of fsspec raise anything; or MemoryError
        return 0
