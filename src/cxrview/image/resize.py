"""Squashes a radiograph to the network's square, as ImageMagick's `-resize 256x256!` does."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.records.pixels import grey_picture

SIDE = 256
"""Rows and columns after squashing (paper, section 1)."""


def squash(pixels: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """Resize to a square, giving up the aspect ratio.

    ImageMagick 6 takes Lanczos with three lobes where the picture loses pixels and
    Mitchell's cubic where it gains them; so do we.

    Args:
        pixels: shape (rows, columns), both at least 1, uint8, 0 to 255.
        side: rows and columns of the result, at least 1.

    Returns:
        Shape (side, side), uint8. The input itself where it has that shape already.

    Raises:
        ValueError: pixels of another type, range or shape, or a side below 1.

    Source:
        Paper, section 1 (ImageMagick 6.7.7); the rule is `ResizeImage` of magick/resize.c.
    """
    pixels = grey_picture(pixels)
    if side < 1:
        raise ValueError(f"a square has at least 1 row; got {side}")
    rows, columns = pixels.shape
    if (rows, columns) == (side, side):
        return pixels
    if side * side > rows * columns:
        return _mitchell(pixels, side)
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS))


def _mitchell(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    down = _resample_rows(pixels.astype(np.float64), side)
    grey = _resample_rows(np.ascontiguousarray(down.T), side).T
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _resample_rows(pixels: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Weigh and add up rows: (rows, columns) to (side, columns).

    Tap by tap, not as a product of matrices, whose last digits depend on processor and threads.
    """
    places, weights = _mitchell_weights(pixels.shape[0], side)
    resampled = np.zeros((side, pixels.shape[1]))
    for place, weight in zip(places.T, weights.T, strict=True):
        resampled += weight[:, None] * pixels[place]
    return resampled


@lru_cache(maxsize=8)
def _mitchell_weights(length: int, side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Places in the source that each result pixel is made of, and their weights.

    Both (side, taps), read-only; taps is 4 if pixels are gained. A pixel's weights sum to 1.
    """
    factor = side / length
    stretch = max(1 / factor, 1.0)  # a filter widens only where pixels are lost
    centres = (np.arange(side) + 0.5) / factor
    first = np.floor(centres - 2 * stretch + 0.5).astype(np.int64)
    places = first[:, None] + np.arange(int(np.ceil(4 * stretch)))
    weights = _mitchell_cubic((places + 0.5 - centres[:, None]) / stretch)
    weights[(places < 0) | (places >= length)] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    places = np.clip(places, 0, length - 1)
    for array in (places, weights):
        array.setflags(write=False)  # they are everybody's
    return places, weights


def _mitchell_cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mitchell and Netravali's cubic with B = C = 1/3."""
    d = np.abs(distance)
    near = (21 * d**3 - 36 * d**2 + 16) / 18
    far = (-7 * d**3 + 36 * d**2 - 60 * d + 32) / 18
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))
