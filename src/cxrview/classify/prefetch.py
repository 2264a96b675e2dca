"""Prefetch paths in a thread, so that a slow folder or list does not delay outcomes."""

import threading
from collections.abc import Callable, Generator, Iterable

STOP_SECONDS = 0.5
"""Time that `stop` waits for the thread: standard input may never send its next line."""


class PathPrefetcher(threading.Thread):
    """Takes paths from an iterable, in order, as many as it is allowed to.

    Args:
        paths: iterated over, and closed, by this thread only.
        found: called with the number of each path, from 0, and the path.
        ended: called at the end with the number of paths, and the error if there was one; not
        called after `stop`.
    """

    def __init__(
        self,
        paths: Iterable[str],
        found: Callable[[int, str], None],
        ended: Callable[[int, BaseException | None], None],
    ) -> None:
        # A daemon: a read from standard input cannot be interrupted.
        super().__init__(name="path prefetcher", daemon=True)
        self._paths, self._found, self._ended = paths, found, ended
        self._allowed = threading.Semaphore(0)
        self._is_stopping = False

    def allow_one(self) -> None:
        """Allow it to take one more path."""
        self._allowed.release()

    def run(self) -> None:
        """Take paths until there are no more, or `stop` is called."""
        count, error = 0, None
        try:
            ahead = iter(self._paths)
            while self._is_allowed() and (path := next(ahead, None)) is not None:
                if self._is_stopping:
                    break
                self._found(count, path)
                count += 1
            if isinstance(ahead, Generator):
                ahead.close()
        except BaseException as raised:  # passed to `ended`, and raised in the caller's thread
            error = raised
        if not self._is_stopping:
            self._ended(count, error)

    def _is_allowed(self) -> bool:
        self._allowed.acquire()
        return not self._is_stopping

    def stop(self) -> None:
        """Take no more paths; the thread ends at once, or after the path that it waits for."""
        self._is_stopping = True
        self._allowed.release()
        if self.is_alive():
            self.join(STOP_SECONDS)
