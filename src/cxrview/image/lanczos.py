"""Reduce a picture by Lanczos' filter: the pixels of Pillow, in less than half of its time.

Pillow weighs 8-bit pixels by integers. Matrix products add the same integers up: in double
precision every sum is exact, whatever its order, the processor and the library that computes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_LOBES = 3
_FRACTION_BITS = 22
"""Bits of a weight after the binary point, as in `Resample.c` of Pillow."""
_RESULTS = 16
"""Result pixels of a matrix product. Of more, most weights would be 0; fewer take more calls."""
_PIXELS = 1 << 17
"""Number of source pixels filtered together, so that they stay in the cache."""

Box = tuple[float, float, float, float]
"""Left, upper, right and lower edge of a part of a picture, in pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class _Band:
    """The weights of neighbouring result pixels along one axis."""

    results: slice
    sources: slice
    weights: NDArray[np.float64]
    """Shape (results, sources), integers."""


def resize_lanczos(
    pixels: NDArray[np.uint8], side: int, box: Box | None = None
) -> NDArray[np.uint8]:
    """Resize to a square by Lanczos' filter with three lobes: first each row, then each column.

    Args:
        pixels: shape (rows, columns), both at least 1, 0 to 255.
        side: rows and columns of the result, at least 1.
        box: the part to resize, within the picture; None for all.

    Returns:
        Shape (side, side): what `resize` of `PIL.Image` returns with `LANCZOS`, to the last bit.
        Pillow 13 filters the columns of tall pictures first, which changes a few pixels by 1.
    """
    rows, columns = pixels.shape
    left, upper, right, lower = box or (0, 0, columns, rows)
    narrow = _filter_rows(pixels, _bands(columns, left, right, side), side)
    square = np.empty((side, side))
    for band in _bands(rows, upper, lower, side):
        np.matmul(band.weights, narrow[band.sources], out=square[band.results])
    _round_to_pixels(square)
    return square.astype(np.uint8)


def _filter_rows(
    pixels: NDArray[np.uint8], bands: Sequence[_Band], side: int
) -> NDArray[np.float64]:
    """Filter each row: (rows, columns) to (rows, side), integers from 0 to 255."""
    rows, columns = pixels.shape
    narrow = np.empty((rows, side))
    step = max(1, _PIXELS // columns)
    for first in range(0, rows, step):
        part = pixels[first : first + step].astype(np.float64)
        target = narrow[first : first + step]
        for band in bands:
            np.matmul(part[:, band.sources], band.weights.T, out=target[:, band.results])
        _round_to_pixels(target)
    return narrow


def _round_to_pixels(sums: NDArray[np.float64]) -> None:
    """Round weighted sums in place, as Pillow does: half a grey level is added, and cut off."""
    sums *= 1 / (1 << _FRACTION_BITS)
    sums += 0.5
    np.clip(sums, 0, 255, out=sums)
    np.floor(sums, out=sums)


@lru_cache(maxsize=16)
def _bands(length: int, first: float, last: float, side: int) -> tuple[_Band, ...]:
    """Compute the weights along an axis of so many pixels, for the part from first to last."""
    # Pillow takes single precision for the box, and double precision for what follows.
    start = float(np.float32(first))
    scale = float(np.float32(last) - np.float32(first)) / side
    stretch = max(scale, 1.0)  # the filter is wider only when the picture is reduced
    centres = start + (np.arange(side) + 0.5) * scale
    begins = np.maximum(np.trunc(centres - _LOBES * stretch + 0.5), 0).astype(np.int64)
    ends = np.minimum(np.trunc(centres + _LOBES * stretch + 0.5), length).astype(np.int64)
    places = begins[:, None] + np.arange(int((ends - begins).max()))
    weights = _lanczos((places - centres[:, None] + 0.5) / stretch)
    weights[places >= ends[:, None]] = 0
    weights /= weights.sum(axis=1, keepdims=True)
    fixed = np.trunc(weights * (1 << _FRACTION_BITS) + np.copysign(0.5, weights))
    return tuple(
        _band(slice(k, min(k + _RESULTS, side)), begins, ends, fixed)
        for k in range(0, side, _RESULTS)
    )


def _band(
    results: slice, begins: NDArray[np.int64], ends: NDArray[np.int64], fixed: NDArray[np.float64]
) -> _Band:
    begins, ends, fixed = begins[results], ends[results], fixed[results]
    count, taps = fixed.shape
    sources = slice(int(begins.min()), int(ends.max()))
    weights = np.zeros((count, sources.stop - sources.start + taps))  # zeros stand beyond the ends
    np.put_along_axis(weights, begins[:, None] - sources.start + np.arange(taps), fixed, axis=1)
    weights = np.ascontiguousarray(weights[:, : sources.stop - sources.start])
    weights.setflags(write=False)  # they are cached
    return _Band(results, sources, weights)


def _lanczos(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    near = (distance >= -_LOBES) & (distance < _LOBES)
    return np.where(near, _sinc(distance) * _sinc(distance / _LOBES), 0.0)


def _sinc(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same operations as in Pillow, so that not even the last digit of a weight differs."""
    angle = x * np.pi
    return np.divide(np.sin(angle), angle, out=np.ones_like(angle), where=angle != 0)
