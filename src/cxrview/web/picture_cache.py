"""Keeps rendered pictures in memory, and renders those ahead that pages will request next."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from cxrview.web.picture_pool import AHEAD, WANTED, Job, PicturePool
from cxrview.web.picture_worker import MINMAX
from cxrview.web.settings import PictureSettings

EDGES = {"256": 256, "1024": 1024, "1536": 1536, "2048": 2048, "full": 0}
"""Sizes that can be requested, by their names in addresses; 0 is all pixels."""
_MOST_AHEAD = 200
"""Jobs in the queue beyond which nothing is rendered ahead."""

Key = tuple[str, int, str]
"""Path, edge and window."""


class PictureCache:
    """A cache of rendered pictures, limited in bytes, in front of a pool of processes.

    The picture that was not used for the longest time is dropped first.

    Its methods may be called from any thread.

    Args:
        settings: how many processes, how much memory.
        content_id_at: gives the digest that the file of a path must have, or nothing.
    """

    def __init__(
        self, settings: PictureSettings, content_id_at: Callable[[str], str] = lambda path: ""
    ) -> None:
        self._content_id_at = content_id_at
        self._pool = PicturePool(settings)
        self._most_bytes = settings.cache_bytes
        self._lock = threading.RLock()  # a picture may be done before its callback is there
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[Key, Job] = {}

    def get(self, path: str, edge: int, window: str = MINMAX) -> "Future[bytes]":
        """Return a picture, now or later; concurrent requests for one picture render it once.

        Args:
            path: local path or URL of the image.
            edge: one of `EDGES`.
            window: `MINMAX` or `AUTO` of `picture_worker`.
        """
        key = path, edge, window
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                done: Future[bytes] = Future()
                done.set_result(kept)
                return done
            return self._job(key, WANTED).done

    def prefetch(self, paths: Iterable[str], edge: int, window: str = MINMAX) -> None:
        """Render pictures that will be requested soon, after those that a page waits for."""
        with self._lock:
            for path in paths:
                if self._pool.waiting > _MOST_AHEAD:
                    return
                key = path, edge, window
                if key not in self._kept and key not in self._under_way:
                    self._job(key, AHEAD)

    def close(self) -> None:
        """End the processes."""
        self._pool.close()

    def _job(self, key: Key, priority: int) -> Job:
        job = self._under_way.get(key)
        if job is None:
            path, edge, window = key
            known = self._content_id_at(path)
            job = self._pool.submit(path, edge, priority, window=window, content_id=known)
            self._under_way[key] = job
            job.done.add_done_callback(lambda done: self._arrived(key, done))
        elif not job.is_begun:
            self._pool.enqueue(job, priority)
        return job

    def _arrived(self, key: Key, done: "Future[bytes]") -> None:
        with self._lock:
            del self._under_way[key]
            if done.exception() is not None:
                return
            picture = done.result()
            self._kept[key] = picture
            self._bytes += len(picture)
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._kept.popitem(last=False)[1])
