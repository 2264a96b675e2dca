"""Takes paths in a thread of its own, so that no outcome waits for a slow walk or a list."""

import threading
from collections.abc import Callable, Generator, Iterable

PATIENCE_SECONDS = 0.5
"""How long an end waits for the thread: a list on standard input may be silent for ever."""


class PathPrefetcher(threading.Thread):
    """Takes so many paths as it is allowed to, in their order.

    Args:
        paths: taken, and closed, by this thread alone.
        found: told of each path and its number, from 0.
        ended: told how many there were, and of the error where one ended them; not told after
            `stop`.
    """

    def __init__(
        self,
        paths: Iterable[str],
        found: Callable[[int, str], None],
        ended: Callable[[int, BaseException | None], None],
    ) -> None:
        # A daemon: a read from standard input cannot be broken off.
        super().__init__(name="paths ahead", daemon=True)
        self._paths, self._found, self._ended = paths, found, ended
        self._allowed = threading.Semaphore(0)
        self._is_stopping = False

    def allow_one(self) -> None:
        """Let one more be taken."""
        self._allowed.release()

    def run(self) -> None:
        """Take paths until there are no more or nobody wants them."""
        count, error = 0, None
        try:
            ahead = iter(self._paths)
            while self._may_go_on() and (path := next(ahead, None)) is not None:
                if self._is_stopping:
                    break
                self._found(count, path)
                count += 1
            if isinstance(ahead, Generator):
                ahead.close()
        except BaseException as raised:  # handed on to the thread that asked, which raises it
            error = raised
        if not self._is_stopping:
            self._ended(count, error)

    def _may_go_on(self) -> bool:
        self._allowed.acquire()
        return not self._is_stopping

    def stop(self) -> None:
        """Have it take no more; it ends at once, or when the path comes that it waits for."""
        self._is_stopping = True
        self._allowed.release()
        if self.is_alive():
            self.join(PATIENCE_SECONDS)
