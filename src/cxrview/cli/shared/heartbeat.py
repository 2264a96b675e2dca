"""A line a minute on stderr where nobody watches a bar, so that a log shows that a run lives.

It comes by the clock and not by the work: a disk that hangs shows as 0.0 a second. There is
no path and nothing from a header in it.
"""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from cxrview.wording import counted

SECONDS_BETWEEN_LINES = 60.0


class Heartbeat:
    """Counts what is done and says it now and then; a context manager.

    Args:
        what: the unit in the plural, such as `images`.
        total: how many there will be; None while that is not known.
        seconds: between two lines.
    """

    def __init__(
        self,
        what: str,
        total: Callable[[], int | None],
        *,
        seconds: float = SECONDS_BETWEEN_LINES,
    ) -> None:
        self._what, self._total, self._seconds = what, total, seconds
        self._done = self._failed = self._told = 0
        self._began = self._looked = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def __call__(self, done: int, failed: int = 0) -> None:
        """Count more that is done, and how many of them failed."""
        self._done += done
        self._failed += failed

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds):
            with suppress(OSError, ValueError):  # whoever read stderr has gone
                print(self._line(), file=sys.stderr, flush=True)

    def _line(self) -> str:
        done, now, total = self._done, time.monotonic(), self._total()
        rate = (done - self._told) / (now - self._looked)
        self._told, self._looked = done, now
        line = f"{counted(done, self._what)}, {rate:.1f}/s, {self._failed} failed"
        if total is None:
            return line
        line += f", of {total}"
        if not done:
            return line
        minutes = max(0, total - done) * (now - self._began) / done / 60
        return f"{line}, about {minutes:.0f} min remaining"
