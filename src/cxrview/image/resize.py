"""Resize a radiograph to the model's square.

`squash` resizes like ImageMagick's `-resize 256x256!`. `resize_square` is faster: it averages
blocks of pixels first. `block_sums` adds up blocks of values that are windowed later.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.image.lanczos import Box, resize_lanczos
from cxrview.records.pixels import grey_picture

SIDE = 256
"""Rows and columns of the model's input (paper, section 1)."""
_GAP = 2
"""Minimum side of the picture of blocks, in sides of the square."""
_BAND_BYTES = 1 << 20
"""Number of pixels processed together: more would not fit the cache, fewer take more calls."""


def squash(pixels: NDArray[np.uint8], side: int = SIDE) -> NDArray[np.uint8]:
    """Resize to a square, without keeping the aspect ratio.

    As in ImageMagick 6: Lanczos with three lobes to reduce, Mitchell's cubic to enlarge.

    Args:
        pixels: shape (rows, columns), both at least 1, uint8, 0 to 255.
        side: rows and columns of the result, at least 1.

    Returns:
        Shape (side, side), uint8. The input itself if it already has that shape.

    Raises:
        ValueError: pixels of another type, range or shape, or a side below 1.

    Source:
        Paper, section 1 (ImageMagick 6.7.7); the rule is `ResizeImage` of magick/resize.c.
    """
    pixels = grey_picture(pixels)
    if side < 1:
        raise ValueError(f"side must be at least 1; got {side}")
    rows, columns = pixels.shape
    if (rows, columns) == (side, side):
        return pixels
    if side * side > rows * columns:
        return _mitchell(pixels, side)
    return resize_lanczos(pixels, side)


def _mitchell(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    down = _resample_rows(pixels.astype(np.float64), side)
    grey = _resample_rows(np.ascontiguousarray(down.T), side).T
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def _resample_rows(pixels: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Compute weighted sums of rows: (rows, columns) to (side, columns).

    Computed tap by tap, since the last digits of a matrix product depend on processor and threads.
    """
    places, weights = _mitchell_weights(pixels.shape[0], side)
    resampled = np.zeros((side, pixels.shape[1]))
    for place, weight in zip(places.T, weights.T, strict=True):
        resampled += weight[:, None] * pixels[place]
    return resampled


@lru_cache(maxsize=8)
def _mitchell_weights(length: int, side: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the positions of the source pixels of each result pixel, and their weights.

    Both (side, taps), read-only; taps is 4 if pixels are gained. The weights of a pixel sum to 1.
    """
    factor = side / length
    stretch = max(1 / factor, 1.0)  # the filter is wider only when the picture is reduced
    centres = (np.arange(side) + 0.5) / factor
    first = np.floor(centres - 2 * stretch + 0.5).astype(np.int64)
    places = first[:, None] + np.arange(int(np.ceil(4 * stretch)))
    weights = _mitchell_cubic((places + 0.5 - centres[:, None]) / stretch)
    weights[(places < 0) | (places >= length)] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    places = np.clip(places, 0, length - 1)
    for array in (places, weights):
        array.setflags(write=False)  # they are cached
    return places, weights


def _mitchell_cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cubic of Mitchell and Netravali with B = C = 1/3."""
    d = np.abs(distance)
    near = (21 * d**3 - 36 * d**2 + 16) / 18
    far = (-7 * d**3 + 36 * d**2 - 60 * d + 32) / 18
    return np.where(d < 1, near, np.where(d < 2, far, 0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockSums:
    """Sums of blocks of pixels."""

    sums: NDArray[Any]
    """Shape (rows, columns) in blocks, integers. Each is a single value if a decoder has reduced
    the resolution."""
    count: int
    """Number of values in a sum."""
    low: int
    """Smallest value of all pixels."""
    high: int
    box: Box
    """Edges of the complete picture, in blocks."""


def factors(rows: int, columns: int, side: int) -> tuple[int, int]:
    """Return rows and columns of the largest blocks that leave twice `side`; 1 if impossible.

    Also 1 for a picture that is enlarged, with fewer rows or columns than the square.
    """
    if min(rows, columns) < side:
        return 1, 1
    return max(1, rows // (_GAP * side)), max(1, columns // (_GAP * side))


def block_sums(values: NDArray[Any], side: int) -> BlockSums:
    """Add up blocks, and find minimum and maximum, in one pass over memory.

    Args:
        values: shape (rows, columns), integers of up to 16 bits in native byte order.
        side: rows and columns of the square to come.

    Returns:
        The sums; those of incomplete blocks at the lower and right edge are scaled up.
    """
    rows, columns = values.shape
    down, across = factors(rows, columns, side)
    bands, lows, highs = [], [], []
    for band in _bands(values, down):
        lows.append(low := int(band.min()))
        highs.append(high := int(band.max()))
        dtype = _type_of_sums(low, high, down * across, values.dtype)
        bands.append(_add_columns(_add_rows(band, down, dtype), across, dtype))
    return BlockSums(
        sums=np.concatenate(bands),  # in the widest of their types
        count=down * across,
        low=min(lows),
        high=max(highs),
        box=(0, 0, columns / across, rows / down),
    )


def _bands(values: NDArray[Any], down: int) -> Iterator[NDArray[Any]]:
    """Split into rows of blocks, as many as fit into the cache, since they are read three times."""
    rows, columns = values.shape
    size = down * max(1, _BAND_BYTES // (down * columns * values.itemsize))
    return (values[at : at + size] for at in range(0, rows, size))


def _type_of_sums(low: int, high: int, count: int, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the narrowest type for the largest sum: 12 bits in blocks of 16 need only 16 bits."""
    for kind in (dtype, np.dtype(f"{dtype.kind}2"), np.dtype(f"{dtype.kind}4")):
        ends = np.iinfo(kind)
        if ends.min <= low * count and high * count <= ends.max:
            return kind
    return np.dtype(np.int64)


def _add_rows(values: NDArray[Any], size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Add up every `size` rows: (rows, columns) to (rows / size, rounded up, columns)."""
    if size == 1:
        return values
    rows, columns = values.shape
    full, rest = divmod(rows, size)
    sums = np.empty((full + bool(rest), columns), dtype)
    groups = values[: full * size].reshape(full, size, columns)
    np.add.reduce(groups, axis=1, dtype=dtype, out=sums[:full])
    if rest:
        sums[full] = _scaled_up(values[-rest:].sum(axis=0, dtype=np.int64), size, rest)
    return sums


def _add_columns(values: NDArray[Any], size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Add up every `size` columns likewise, one column of each block after the other."""
    if size == 1:
        return values
    rows, columns = values.shape
    full, rest = divmod(columns, size)
    sums = np.empty((rows, full + bool(rest)), dtype)
    ends = full * size
    np.add(values[:, 0:ends:size], values[:, 1:ends:size], out=sums[:, :full], dtype=dtype)
    for k in range(2, size):
        np.add(sums[:, :full], values[:, k:ends:size], out=sums[:, :full], dtype=dtype)
    if rest:
        sums[:, full] = _scaled_up(values[:, -rest:].sum(axis=1, dtype=np.int64), size, rest)
    return sums


def _scaled_up(sums: NDArray[np.int64], size: int, count: int) -> NDArray[np.int64]:
    """Scale sums of `count` values at an edge to sums of `size` values."""
    return sums * size // count


def window_block_sums(blocks: BlockSums, *, is_inverse: bool) -> NDArray[np.uint8]:
    """Window the means from minimum to maximum to 8 bits, like `minmax_to_uint8` for pixels.

    `minmax_to_uint8` truncates every pixel. The mean of what truncation removes depends on the
    number of values: nothing with 256, almost half a grey level with 4,096. It is subtracted.

    Args:
        blocks: whose `low` and `high` differ.
        is_inverse: whether low values are bright.

    Returns:
        Shape as the blocks, uint8.
    """
    span = blocks.high - blocks.low
    steps = span // gcd(span, 255)  # number of different fractions of a grey level
    grey = blocks.sums.astype(np.float32)
    first = blocks.high if is_inverse else blocks.low
    grey -= np.float32(first * blocks.count)
    grey *= np.float32((-255 if is_inverse else 255) / (span * blocks.count))
    grey += np.float32(0.5 - (steps - 1) / (2 * steps))
    return np.clip(grey, 0, 255, out=grey).astype(np.uint8)


def resize_square(
    pixels: NDArray[np.uint8], side: int, box: Box | None = None
) -> NDArray[np.uint8]:
    """Resize to a square by averaging blocks of pixels, then Lanczos.

    Args:
        pixels: shape (rows, columns).
        side: rows and columns of the result.
        box: left, upper, right and lower edge of the part to resize; None for all. Beyond the
            pixels, those at the edge are repeated.

    Returns:
        Shape (side, side). For small pictures the result of `squash`.
    """
    rows, columns = pixels.shape
    if box is None and factors(rows, columns, side) == (1, 1):
        return squash(pixels, side)
    left, upper, right, lower = box or (0, 0, columns, rows)
    beyond = max(0, ceil(lower) - rows), max(0, ceil(right) - columns)
    if any(beyond):
        pixels = np.pad(pixels, ((0, beyond[0]), (0, beyond[1])), mode="edge")
    down = max(1, int((lower - upper) / side / _GAP))
    across = max(1, int((right - left) / side / _GAP))
    if (down, across) != (1, 1):
        pixels = np.asarray(Image.fromarray(pixels).reduce((across, down)))
    return resize_lanczos(pixels, side, (left / across, upper / down, right / across, lower / down))
