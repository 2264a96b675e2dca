"""Whether the study's database answers: said once when it stops, and once when it is back.

Also keeps watch that this is the one server of the study, by its lock.
"""

import logging
import threading
from collections.abc import Callable

from cxrview.annotate.database.serving_lock import ServingLock

RETRY_SECONDS = 5
"""After which a browser is told to try again."""
_LOOK_SECONDS = 2.0
_log = logging.getLogger(__name__)


class DatabaseWatch:
    """What requests found of the database; its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: str | None = None
        """Method of the request that failed first; None while all is well."""

    def failed(self, method: str, reason: str) -> None:
        """Say so, if nobody has yet.

        Args:
            method: of the request, `GET` or `POST`.
            reason: in one line, without a password.
        """
        with self._lock:
            is_new = self._failed is None
            if is_new or self._failed == "POST":
                self._failed = method
        if is_new:
            _log.error(
                "The database cannot be reached or written (%s). Readings wait in the browsers and "
                "are sent when it is back; this server goes on trying.",
                reason,
            )

    def works(self, method: str) -> None:
        """Say that it is back, if it was away. To be read is not enough where writing failed."""
        with self._lock:
            if self._failed is None or (self._failed == "POST" and method != "POST"):
                return
            self._failed = None
        _log.error("The database is back.")


class LockWatch(threading.Thread):
    """Looks after the lock while the study is served.

    Args:
        lock: of the study.
        database: told what is found.
        when_taken: called once where another server has taken the lock.
    """

    def __init__(
        self, lock: ServingLock, database: DatabaseWatch, when_taken: Callable[[], None]
    ) -> None:
        super().__init__(daemon=True)
        self._serving, self._database, self._when_taken = lock, database, when_taken
        self._is_over = threading.Event()
        self.start()

    def run(self) -> None:
        """Look every two seconds."""
        while not self._is_over.wait(_LOOK_SECONDS):
            try:
                if not self._serving.is_held():
                    _log.error("Another server has begun to serve this study; this one ends.")
                    self._when_taken()
                    return
            except ConnectionError as error:
                self._database.failed("GET", str(error))
            else:
                self._database.works("GET")

    def stop(self) -> None:
        """End it, and let another server have the study."""
        self._is_over.set()
        self.join()
        self._serving.release()
