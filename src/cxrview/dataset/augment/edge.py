"""What enters a picture at its edge when it is turned or moved."""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Edge(StrEnum):
    """Ours: the paper does not say what enters."""

    BLACK = "black"
    """Grey value 0, as outside the collimator."""
    REPEAT = "repeat"
    """The nearest pixel of the picture."""


def surround(pixels: NDArray[np.uint8], margin: int, edge: Edge) -> NDArray[np.uint8]:
    """Add what lies outside: (rows, columns) to (rows + 2 margin, columns + 2 margin), uint8."""
    if edge is Edge.REPEAT:
        return np.pad(pixels, margin, mode="edge")
    return np.pad(pixels, margin)
