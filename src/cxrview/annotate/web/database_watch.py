"""Report once when the study's database fails and once when it works again.

Also checks by the serving lock that this is the only server of the study.
"""

import logging
import threading
from collections.abc import Callable

from starlette.responses import JSONResponse, PlainTextResponse, Response

from cxrview.annotate.database.connect import is_unavailable, reason_unavailable
from cxrview.annotate.database.serving_lock import ServingLock

RETRY_SECONDS = 5
"""Seconds after which a browser is asked to try again (Retry-After)."""
_CHECK_SECONDS = 2.0
_OUT_OF_REACH = (
    "The study's database cannot be reached or written at the moment. Readings wait in the browser."
)
_log = logging.getLogger(__name__)


class DatabaseWatch:
    """State of the database as requests found it; methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failed: str | None = None
        """Method of the request that failed first; None while the database works."""

    def failed(self, method: str, reason: str) -> None:
        """Report that the database failed, unless that has been reported.

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
                "are sent when it is back; this server keeps trying.",
                reason,
            )

    def response_to(self, error: Exception, method: str, path: str) -> Response | None:
        """Report an error of the database; returns the response to the request.

        Args:
            error: that a route raised.
            method: of the request.
            path: of the request: scripts get JSON.

        Returns:
            503 with the time after which to try again; None for any other error.
        """
        if not is_unavailable(error):
            return None
        self.failed(method, reason_unavailable(error))
        headers = {"Retry-After": str(RETRY_SECONDS)}
        if path.startswith("/api/"):
            return JSONResponse({"why": _OUT_OF_REACH}, 503, headers)
        return PlainTextResponse(_OUT_OF_REACH, 503, headers)

    def works(self, method: str) -> None:
        """Report that it works again, if it had failed; a read is not enough after a write."""
        with self._lock:
            if self._failed is None or (self._failed == "POST" and method != "POST"):
                return
            self._failed = None
        _log.error("The database can be reached again.")


class LockWatch(threading.Thread):
    """Checks the serving lock regularly while the study is served.

    Args:
        lock: the serving lock of the study.
        database: is notified of failures.
        when_taken: called once if another server has taken the lock.
    """

    def __init__(
        self, lock: ServingLock, database: DatabaseWatch, when_taken: Callable[[], None]
    ) -> None:
        super().__init__(daemon=True)
        self._serving, self._database, self._when_taken = lock, database, when_taken
        self._is_stopped = threading.Event()
        self.start()

    def run(self) -> None:
        """Check every two seconds."""
        while not self._is_stopped.wait(_CHECK_SECONDS):
            try:
                if not self._serving.is_held():
                    _log.error("Another server has started to serve this study; this one stops.")
                    self._when_taken()
                    return
            except ConnectionError as error:
                self._database.failed("GET", str(error))
            else:
                self._database.works("GET")

    def stop(self) -> None:
        """Stop checking and release the lock."""
        self._is_stopped.set()
        self.join()
        self._serving.release()
