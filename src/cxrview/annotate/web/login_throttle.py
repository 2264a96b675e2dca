"""Throttle repeated failed logins by name: each failure after the first few doubles the wait."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

FREE_FAILURES = 4
"""Failures of a name after which the next one has to wait; ours."""
LONGEST_SECONDS = 60.0
_FORGET_SECONDS = 3600.0
_MOST_NAMES = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class LoginThrottle:
    """Failures by name. Times are seconds of a monotonic clock."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = threading.Lock()

    def wait_seconds(self, name: str, now: float) -> float:
        """Return how many seconds this name has to wait before its next try; 0 if none."""
        with self._lock:
            failures = self._failures.get(name)
            if failures is None or now - failures.last > _FORGET_SECONDS:
                return 0.0
            extra = failures.count - FREE_FAILURES
            if extra < 0:
                return 0.0
            wait = min(LONGEST_SECONDS, 2.0 ** min(extra, 10))
            return max(0.0, failures.last + wait - now)

    def failed(self, name: str, now: float) -> None:
        """Count a failed login of this name."""
        with self._lock:
            failures = self._failures.pop(name, _Failures(0, now))
            if now - failures.last > _FORGET_SECONDS:
                failures.count = 0
            self._failures[name] = _Failures(failures.count + 1, now)
            while len(self._failures) > _MOST_NAMES:  # mostly names that no reader has
                self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forget the failures of this name."""
        with self._lock:
            self._failures.pop(name, None)
