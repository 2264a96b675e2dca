"""Squashes a radiograph to the network's square, as ImageMagick's `-resize 256x256!` does."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 256
"""Rows and columns after squashing (paper, section 1)."""


def squash(pixels: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """Resize to a square, giving up the aspect ratio.

    ImageMagick 6 takes Lanczos with three lobes where the picture loses pixels and
    Mitchell's cubic where it gains them; so do we.

    Args:
        pixels: shape (rows, columns), uint8.
        side: rows and columns of the result, at least 1.

    Returns:
        Shape (side, side), uint8. The input itself where it has that shape already.

    Source:
        Paper, section 1 (ImageMagick 6.7.7); the rule is `ResizeImage` of magick/resize.c.
    """
    rows, columns = pixels.shape
    if (rows, columns) == (side, side):
        return pixels
    if side * side > rows * columns:
        return _mitchell(pixels, side)
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS))


def _mitchell(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    down = _mitchell_weights(pixels.shape[0], side)
    across = _mitchell_weights(pixels.shape[1], side)
    grey = down @ pixels.astype(np.float64) @ across.T
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _mitchell_weights(length: int, side: int) -> NDArray[np.float64]:
    """Weights (side, length) of the source pixels in each result pixel, each row summing to 1."""
    factor = side / length
    stretch = max(1 / factor, 1.0)  # a filter widens only where pixels are lost
    centres = (np.arange(side) + 0.5) / factor
    weights = _mitchell_cubic((np.arange(length) + 0.5 - centres[:, None]) / stretch)
    normalised: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return normalised


def _mitchell_cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mitchell and Netravali's cubic with B = C = 1/3."""
    d = np.abs(distance)
    near = (21 * d**3 - 36 * d**2 + 16) / 18
    far = (-7 * d**3 + 36 * d**2 - 60 * d + 32) / 18
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))
