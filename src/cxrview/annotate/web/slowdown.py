"""Makes guessing slow: after some failures each further try has to wait, longer each time."""

import threading
from collections import OrderedDict
from dataclasses import dataclass

FREE_FAILURES = 4
LONGEST_SECONDS = 60.0
_FORGET_SECONDS = 3600.0
_MOST_NAMES = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Slowdown:
    """Counts failures by name. Times are seconds of one clock that only goes forward."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._lock = threading.Lock()

    def wait_seconds(self, name: str, now: float) -> float:
        """How long this name has to wait before its next try; 0 if it need not."""
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
        """Count a failure."""
        with self._lock:
            failures = self._failures.pop(name, _Failures(0, now))
            if now - failures.last > _FORGET_SECONDS:
                failures.count = 0
            self._failures[name] = _Failures(failures.count + 1, now)
            while len(self._failures) > _MOST_NAMES:  # of names that nobody has, mostly
                self._failures.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forget this name's failures."""
        with self._lock:
            self._failures.pop(name, None)
