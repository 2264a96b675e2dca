"""Spreads pixel values over 8 bits from their minimum to their maximum, as DCMTK does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def minmax_to_uint8(
    values: NDArray[Any],
    *,
    is_inverse: bool = False,
    padding: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.uint8], bool]:
    """Window from minimum to maximum.

    Args:
        values: shape (rows, columns), any integer or floating type, after the modality LUT.
        is_inverse: whether low values are bright (MONOCHROME1).
        padding: shape (rows, columns), True where there is no image: left out of minimum and
            maximum and drawn black. Not-a-number and infinity are padding always. A mask that
            would leave nothing is not believed.

    Returns:
        Shape (rows, columns), uint8, and whether all values are the same (then all 0).

    Source:
        Paper, section 1 (`dcmj2pnm +Wm`). Values between the ends are cut, not rounded, after
        the inversion: DiMonoOutputPixelTemplate::window of DCMTK.
    """
    if np.issubdtype(values.dtype, np.floating):
        padding = _with_not_finite(values, padding)
    if padding is not None and (padding.all() or not padding.any()):
        padding = None
    seen = values if padding is None else values[~padding]
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(seen).all():
        return np.zeros(values.shape, np.uint8), True  # nothing in it is a number
    low, high = seen.min(), seen.max()
    if low == high:
        return np.zeros(values.shape, np.uint8), True
    if np.issubdtype(values.dtype, np.integer):
        grey = _spread_integers(values, int(low), int(high), is_inverse=is_inverse)
    else:
        grey = _spread_floats(values, float(low), float(high), is_inverse=is_inverse)
    if padding is not None:
        grey[padding] = 0
    return grey, False


def _with_not_finite(values: NDArray[Any], padding: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    not_finite: NDArray[np.bool_] = ~np.isfinite(values)
    return not_finite if padding is None else not_finite | padding


def _spread_integers(
    values: NDArray[Any], low: int, high: int, *, is_inverse: bool
) -> NDArray[np.uint8]:
    if values.dtype.itemsize <= 2:
        # A table of every value that may occur: one division for each, not for each pixel.
        bits = 8 * values.dtype.itemsize
        every = np.arange(1 << bits, dtype=np.uint32).astype(f"u{values.dtype.itemsize}")
        table = _scale(every.view(values.dtype).astype(np.int64), low, high, is_inverse=is_inverse)
        grey: NDArray[np.uint8] = table[values.view(every.dtype)]
        return grey
    return _scale(values.astype(np.int64), low, high, is_inverse=is_inverse)


def _scale(
    values: NDArray[np.int64], low: int, high: int, *, is_inverse: bool
) -> NDArray[np.uint8]:
    above = np.clip(values, low, high) - low
    span = high - low
    if is_inverse:
        return (255 - -(-above * 255 // span)).astype(np.uint8)  # 255 - ceiling, as a cut does
    return (above * 255 // span).astype(np.uint8)


def _spread_floats(
    values: NDArray[Any], low: float, high: float, *, is_inverse: bool
) -> NDArray[np.uint8]:
    # Halved first: the span of two large floats of opposite sign may not be a number.
    half = np.nan_to_num(np.clip(values.astype(np.float64), low, high), nan=low) / 2 - low / 2
    share = half / (high / 2 - low / 2)
    return ((1 - share if is_inverse else share) * 255).astype(np.uint8)
