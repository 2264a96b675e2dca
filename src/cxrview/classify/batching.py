"""Gathers what was read into batches for the network, as large as its being busy lets them grow."""

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.decode_pool import Outcome
from cxrview.classify.wire import DecodedImage

LONGEST_WAIT = 16
"""Outcomes after which a batch goes out whatever is in it: failures and skipped files are
answered by nobody, and pass through with the others."""


class Batcher:
    """Outcomes that wait to go to the network together.

    While the network has nothing to do, a radiograph goes out by itself, at once. While all who
    ask it are at work, others gather, up to a batch; then they go to wait in line.

    Args:
        most: radiographs in a batch, at least 1.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._outcomes: list[Outcome] = []
        self._pictures = 0

    def add(self, outcome: Outcome) -> None:
        """Let one more wait."""
        self._outcomes.append(outcome)
        self._pictures += pixels_of(outcome) is not None

    def is_due(self, *, is_idle: bool, is_still: bool) -> bool:
        """Whether what waits should go out.

        Args:
            is_idle: somebody who asks the network has nothing to do.
            is_still: nothing more has come for a while.
        """
        if self._pictures:
            return is_idle or self._pictures >= self._most
        return bool(self._outcomes) and (is_still or len(self._outcomes) >= LONGEST_WAIT)

    def take(self) -> list[Outcome]:
        """All that waited, in the order in which it came."""
        taken, self._outcomes, self._pictures = self._outcomes, [], 0
        return taken


def pixels_of(outcome: Outcome) -> NDArray[np.uint8] | None:
    """What the network is to be asked about, shape (side, side) uint8, if it is."""
    return outcome.pixels if isinstance(outcome, DecodedImage) else None
