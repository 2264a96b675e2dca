"""How fast files may be read, all workers together: a bucket that bytes flow into.

The parent takes a file's size out of the bucket just before it lets a worker open it, so that
no bucket need be shared between processes. The worker finds out the size: a store that does not
answer holds up no more than that one file. A file counts whole, also where its reader
will take only a part of it: the rate is a promise to those who share the disk.
"""

import os
import threading
import time
from collections.abc import Callable

from cxrview.sources.paths import file_system, local_path

FULL_SECONDS = 1.0
"""The bucket holds as many bytes as flow in meanwhile: what may be read at once after a rest. It
is empty when the first file comes, so that a short run takes as long as its bytes do."""


class RateLimiter:
    """Tells how long each file must wait; safe from any thread.

    Args:
        bytes_per_second: above 0.
        clock: seconds that only grow.
    """

    def __init__(
        self, bytes_per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._clock = bytes_per_second, clock
        self._bytes = 0.0
        self._looked: float | None = None
        self._lock = threading.Lock()

    def take(self, size: int) -> float:
        """Take `size` bytes; the seconds to wait for them, 0.0 where they are there."""
        with self._lock:
            now = self._clock()
            flowed = 0.0 if self._looked is None else (now - self._looked) * self._rate
            self._bytes = min(self._rate * FULL_SECONDS, self._bytes + flowed) - size
            self._looked = now
            return max(0.0, -self._bytes / self._rate)


def size_of(path: str) -> int:
    """Bytes of a file or URL; 0 where that cannot be told: opening it will say why."""
    try:
        if local := local_path(path):
            return os.stat(local).st_size  # noqa: PTH116 (a path may hold odd bytes)
        with file_system(path) as (files, name):
            return int(files.size(name) or 0)
    except Exception:  # every file system of fsspec has errors of its own; or want of memory
        return 0
