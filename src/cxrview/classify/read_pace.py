"""How fast files may be read, all workers together: a bucket that bytes flow into.

The parent takes a file's size out of the bucket just before it hands the path to a worker, so
that no bucket need be shared between processes. A file counts whole, also where its reader
will take only a part of it: the rate is a promise to those who share the disk.
"""

import os
import threading
import time
from collections.abc import Callable

from cxrview.image.address import file_system, local_path

FULL_SECONDS = 1.0
"""The bucket holds as many bytes as flow in meanwhile: what may be read at once after a rest."""


class ReadPace:
    """Tells how long each file must wait; safe from any thread.

    Args:
        bytes_per_second: above 0.
        clock: seconds that only grow.
    """

    def __init__(
        self, bytes_per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._clock = bytes_per_second, clock
        self._bytes = bytes_per_second * FULL_SECONDS
        self._looked = clock()
        self._lock = threading.Lock()

    def seconds_before(self, path: str) -> float:
        """Take a file's bytes; the seconds after which they will all have flowed in."""
        return self.take(size_of(path))

    def take(self, size: int) -> float:
        """Take `size` bytes; the seconds to wait for them, 0.0 where they are there."""
        with self._lock:
            now = self._clock()
            flowed = (now - self._looked) * self._rate
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
    except MemoryError:
        raise
    except Exception:  # every file system of fsspec has errors of its own
        return 0
