"""Dynamic batching: one image when the model is idle, a full batch when it is busy."""

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.wire import Decoded, DecodedImage

LONGEST_WAIT = 16
"""Number of outcomes after which a batch is sent even without an image: failures and skipped files
do not need the model, and are part of batches only to keep their order."""


class Batcher:
    """Collects outcomes for the next batch.

    While a thread of the model is idle, each image is sent at once. While all are busy,
    outcomes are collected, up to a full batch.

    Args:
        most: images in a batch, at least 1.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._outcomes: list[Decoded] = []
        self._images = 0

    def add(self, outcome: Decoded) -> None:
        """Add an outcome to the next batch."""
        self._outcomes.append(outcome)
        self._images += pixels_of(outcome) is not None

    def is_due(self, *, is_idle: bool, is_still: bool) -> bool:
        """Whether the batch should be sent now.

        Args:
            is_idle: a thread that runs the model is idle.
            is_still: no outcome has arrived for a while.
        """
        if self._images:
            return is_idle or self._images >= self._most
        return bool(self._outcomes) and (is_still or len(self._outcomes) >= LONGEST_WAIT)

    def take(self) -> list[Decoded]:
        """Return the batch, in the order in which outcomes were added, and start a new one."""
        taken, self._outcomes, self._images = self._outcomes, [], 0
        return taken


def pixels_of(outcome: Decoded) -> NDArray[np.uint8] | None:
    """The model's input, shape (side, side), uint8; None for failures and skipped files."""
    return outcome.pixels if isinstance(outcome, DecodedImage) else None
