"""Cover the border of a picture, where burned-in text can show names."""

import numpy as np
from numpy.typing import NDArray

BORDER = 0.1
"""Share of each side that is covered."""
_GREY = 128


def mask_border(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cover the outer tenth of a grey image.

    Args:
        pixels: shape (rows, columns), uint8.

    Returns:
        A copy of the same shape.
    """
    rows, columns = (round(BORDER * side) for side in pixels.shape)
    masked = np.full_like(pixels, _GREY)
    inside = (slice(rows, -rows or None), slice(columns, -columns or None))
    masked[inside] = pixels[inside]
    return masked
