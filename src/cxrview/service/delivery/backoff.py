"""Waits between tries, which grow and are spread by chance."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Exponential back-off with jitter."""

    first_seconds: float
    longest_seconds: float

    def seconds(self, tries: int, chance: float | None = None) -> float:
        """The wait after some failed tries.

        Args:
            tries: 1 or more.
            chance: 0 to 1, drawn if None. The wait is between half and all of the exponential one,
                so that many objects that failed together do not come back together.
        """
        drawn = random.random() if chance is None else chance
        whole = min(self.longest_seconds, self.first_seconds * 2.0 ** min(tries - 1, 60))
        return whole * (0.5 + 0.5 * drawn)
