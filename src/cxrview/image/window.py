"""Window pixel values from minimum to maximum to 8 bits, as DCMTK does; convert colour to luma."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PERCENTILES: ContextVar[tuple[float, float] | None] = ContextVar("percentiles", default=None)


@contextmanager
def windowed_by_percentiles(low: float, high: float) -> Iterator[None]:
    """Window from one percentile to another during the block, for display.

    Saturated markers and dead pixels then do not reduce the contrast of the rest. Values beyond the
    percentiles are black or white. The model's input is never windowed like this.

    Args:
        low: percentile of the values that becomes black, 0 to 100.
        high: percentile that becomes white. If both have the same value, the window is from
            minimum to maximum.
    """
    token = _PERCENTILES.set((low, high))
    try:
        yield
    finally:
        _PERCENTILES.reset(token)


def is_windowed_by_percentiles() -> bool:
    """Whether the caller is within a block of `windowed_by_percentiles`."""
    return _PERCENTILES.get() is not None


def minmax_to_uint8(
    values: NDArray[Any],
    *,
    is_inverse: bool = False,
    is_sigmoid: bool = False,
    padding: NDArray[np.bool_] | None = None,
    further_values: NDArray[Any] | None = None,
) -> tuple[NDArray[np.uint8], bool]:
    """Window from minimum to maximum.

    Args:
        values: shape (rows, columns), any integer or floating type, after the modality LUT.
        is_inverse: whether low values are bright (MONOCHROME1).
        is_sigmoid: apply VOI LUT Function SIGMOID (PS3.3 C.11.2.1.3).
        padding: shape (rows, columns), True for padding, which is black and not included in minimum
            and maximum. Not-a-number and infinity always are padding. A mask of all pixels is
            ignored.
            further_values: any shape, more values to include in minimum and maximum.

    Returns:
        Shape (rows, columns), uint8, and whether all values are the same (then all 0).

    Raises:
        ValueError: values of another type or shape, no values, or a mask of another shape.

    Source:
        Paper, section 1 (`dcmj2pnm +Wm`). Results are truncated, not rounded, after the inversion:
        DiMonoOutputPixelTemplate of DCMTK.
    """
    _check(values, padding)
    if np.issubdtype(values.dtype, np.floating):
        padding = _with_not_finite(values, padding)
    if padding is not None and (padding.all() or not padding.any()):
        padding = None
    seen = values if padding is None else values[~padding]
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(seen).all():
        return np.zeros(values.shape, np.uint8), True  # no value is a number
    low, high = seen.min(), seen.max()
    if further_values is not None and further_values.size:
        low, high = min(low, further_values.min()), max(high, further_values.max())
    if seen.min() == seen.max():
        return np.zeros(values.shape, np.uint8), True
    if (percentiles := _PERCENTILES.get()) is not None:
        # Replaced by an existing value, so that integers stay integers.
        first, last = np.percentile(seen, percentiles, method="nearest")
        low, high = (first, last) if first < last else (low, high)
    scale = _sigmoid if is_sigmoid else _line
    if values.dtype.itemsize <= 2 and np.issubdtype(values.dtype, np.integer):
        grey = _through_table(values, lambda every: scale(every, low, high, is_inverse))
    else:
        grey = scale(values, low, high, is_inverse)
    if padding is not None:
        grey[padding] = 0
    return grey, False


def keep_uint8(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], bool]:
    """Keep grey values of 8 bits, which were windowed before.

    Args:
        pixels: shape (rows, columns), uint8.

    Returns:
        The same pixels, unless all have the same value (then all 0) or the call is in a block of
        `windowed_by_percentiles`; and whether all have the same value.
    """
    if pixels.min() == pixels.max():
        return np.zeros_like(pixels), True
    if is_windowed_by_percentiles():
        return minmax_to_uint8(pixels)
    return pixels, False


def _check(values: NDArray[Any], padding: NDArray[np.bool_] | None) -> None:
    if not isinstance(values, np.ndarray) or values.ndim != 2 or not values.size:
        got = f"shape {values.shape}" if isinstance(values, np.ndarray) else type(values).__name__
        raise ValueError(
            f"values must be an array of shape (rows, columns), both at least 1; got {got}"
        )
    if values.dtype.kind not in "biuf":
        raise ValueError(f"values must be integers or floats; got {values.dtype}")
    if padding is not None and (padding.shape != values.shape or padding.dtype != np.bool_):
        got = f"{padding.dtype} of shape {padding.shape}"
        raise ValueError(f"padding must be a bool mask of the shape of the values; got {got}")


def _with_not_finite(values: NDArray[Any], padding: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    not_finite: NDArray[np.bool_] = ~np.isfinite(values)
    return not_finite if padding is None else not_finite | padding


def _through_table(
    values: NDArray[Any], scale: Callable[[NDArray[Any]], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Scale each possible value once, not each pixel: there are at most 65,536."""
    unsigned = f"u{values.dtype.itemsize}"
    every = np.arange(1 << (8 * values.dtype.itemsize)).astype(unsigned)
    grey: NDArray[np.uint8] = scale(every.view(values.dtype))[values.view(unsigned)]
    return grey


def _line(values: NDArray[Any], low: Any, high: Any, is_inverse: bool) -> NDArray[np.uint8]:
    if np.issubdtype(values.dtype, np.floating):
        first, last = float(low), float(high)
        inside = np.nan_to_num(np.clip(values.astype(np.float64), first, last), nan=first)
        # The span of two large floats of opposite sign may not be a number.
        part = 1 if np.isfinite(last - first) else 2
        share = (inside / part - first / part) / (last / part - first / part)
        bright: NDArray[np.float64] = 1 - share if is_inverse else share
        return (bright * 255).astype(np.uint8)
    first, span = int(low), int(high) - int(low)
    above = np.clip(values.astype(np.int64), first, int(high)) - first
    if is_inverse:
        return (255 - -(-above * 255 // span)).astype(np.uint8)  # 255 - ceiling, as truncation does
    return (above * 255 // span).astype(np.uint8)


def _sigmoid(values: NDArray[Any], low: Any, high: Any, is_inverse: bool) -> NDArray[np.uint8]:
    """Window centre and width are those from minimum to maximum + 1."""
    centre = float(low) / 2 + float(high) / 2 + 0.5
    width = min(float(high) - float(low) + 1, np.finfo(np.float64).max)
    inside = np.nan_to_num(np.clip(values.astype(np.float64), low, high), nan=float(low))
    share = 1 / (1 + np.exp(np.clip(-4 * (inside / width - centre / width), -4, 4)))
    return (255 - 255 * share if is_inverse else 255 * share).astype(np.uint8)


def luma(red: NDArray[Any], green: NDArray[Any], blue: NDArray[Any]) -> NDArray[Any]:
    """Convert colour to luma, with the weights 0.299, 0.587 and 0.114 (ITU-R BT.601).

    Args:
        red: shape (rows, columns), unsigned of up to 16 bits, or floating.
        green: the same.
        blue: the same.

    Returns:
        Shape (rows, columns), of the same type; integers are truncated, as in DCMTK
        (DiColorMonoTemplate). Equal planes are returned unchanged.
    """
    if np.issubdtype(red.dtype, np.floating):
        grey: NDArray[Any] = 0.299 * red + 0.587 * green + 0.114 * blue
        return grey
    # In integers, so that equal planes stay equal: 0.299 + 0.587 + 0.114 < 1 in floats.
    wide = np.uint32(299) * red + np.uint32(587) * green + np.uint32(114) * blue
    cut: NDArray[Any] = (wide // np.uint32(1000)).astype(red.dtype)
    return cut
