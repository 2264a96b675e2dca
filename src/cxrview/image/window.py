"""Spreads pixel values over 8 bits from their minimum to their maximum, as DCMTK does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PERCENTILES: ContextVar[tuple[float, float] | None] = ContextVar("percentiles", default=None)


@contextmanager
def windowed_by_percentiles(low: float, high: float) -> Iterator[None]:
    """Within the block, spread values from one percentile to another, for a person's eyes.

    A marker that is saturated, or a dead pixel, then leaves the rest all its grey levels. Values
    beyond are black and white. It is for the screen alone: what the model sees is not windowed so.

    Args:
        low: percentile of the values that becomes black, 0 to 100.
        high: percentile that becomes white; where both are one value, minimum to maximum it is.
    """
    token = _PERCENTILES.set((low, high))
    try:
        yield
    finally:
        _PERCENTILES.reset(token)


def is_windowed_by_percentiles() -> bool:
    """Whether the caller is within such a block."""
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
        is_sigmoid: bend the straight line as VOI LUT Function SIGMOID asks (PS3.3 C.11.2.1.3).
        padding: shape (rows, columns), True where there is no image: left out of minimum and
            maximum and drawn black. Not-a-number and infinity are padding always. A mask that
            would leave nothing is not believed.
        further_values: any shape, further values that count into minimum and maximum.

    Returns:
        Shape (rows, columns), uint8, and whether all values are the same (then all 0).

    Raises:
        ValueError: values of another type or shape, none at all, or a mask of another shape.

    Source:
        Paper, section 1 (`dcmj2pnm +Wm`). Results are cut, not rounded, after the inversion:
        DiMonoOutputPixelTemplate of DCMTK.
    """
    _check(values, padding)
    if np.issubdtype(values.dtype, np.floating):
        padding = _with_not_finite(values, padding)
    if padding is not None and (padding.all() or not padding.any()):
        padding = None
    seen = values if padding is None else values[~padding]
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(seen).all():
        return np.zeros(values.shape, np.uint8), True  # nothing in it is a number
    low, high = seen.min(), seen.max()
    if further_values is not None and further_values.size:
        low, high = min(low, further_values.min()), max(high, further_values.max())
    if seen.min() == seen.max():
        return np.zeros(values.shape, np.uint8), True
    if (percentiles := _PERCENTILES.get()) is not None:
        # An existing value, so that integers stay integers.
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
    """Keep grey values of 8 bits, which have been windowed already.

    Args:
        pixels: shape (rows, columns), uint8.

    Returns:
        The same pixels, unless all have one value (then all 0) or the caller is within
        `windowed_by_percentiles`; and whether all have one value.
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
            "values to be windowed are an array of shape (rows, columns), both at least 1; "
            f"got {got}"
        )
    if values.dtype.kind not in "biuf":
        raise ValueError(f"values to be windowed are whole or floating; got {values.dtype}")
    if padding is not None and (padding.shape != values.shape or padding.dtype != np.bool_):
        got = f"{padding.dtype} of shape {padding.shape}"
        raise ValueError(f"a mask of padding is bool, of the shape of the values; got {got}")


def _with_not_finite(values: NDArray[Any], padding: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    not_finite: NDArray[np.bool_] = ~np.isfinite(values)
    return not_finite if padding is None else not_finite | padding


def _through_table(
    values: NDArray[Any], scale: Callable[[NDArray[Any]], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Scale each value once, not each pixel, where there are only 65,536 of them."""
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
        return (255 - -(-above * 255 // span)).astype(np.uint8)  # 255 - ceiling, as a cut does
    return (above * 255 // span).astype(np.uint8)


def _sigmoid(values: NDArray[Any], low: Any, high: Any, is_inverse: bool) -> NDArray[np.uint8]:
    """Window centre and width are those of minimum and maximum, one value beyond the latter."""
    centre = float(low) / 2 + float(high) / 2 + 0.5
    width = min(float(high) - float(low) + 1, np.finfo(np.float64).max)
    inside = np.nan_to_num(np.clip(values.astype(np.float64), low, high), nan=float(low))
    share = 1 / (1 + np.exp(np.clip(-4 * (inside / width - centre / width), -4, 4)))
    return (255 - 255 * share if is_inverse else 255 * share).astype(np.uint8)


def luma(red: NDArray[Any], green: NDArray[Any], blue: NDArray[Any]) -> NDArray[Any]:
    """Weigh three planes 0.299, 0.587 and 0.114.

    Args:
        red: shape (rows, columns), unsigned of up to 16 bits, or floating.
        green: the same.
        blue: the same.

    Returns:
        Shape (rows, columns), of the same type; whole numbers are cut, as DCMTK does
        (DiColorMonoTemplate). Equal planes come back unchanged.
    """
    if np.issubdtype(red.dtype, np.floating):
        grey: NDArray[Any] = 0.299 * red + 0.587 * green + 0.114 * blue
        return grey
    # In whole numbers, so that equal planes stay equal: 0.299 + 0.587 + 0.114 < 1 in floats.
    wide = np.uint32(299) * red + np.uint32(587) * green + np.uint32(114) * blue
    cut: NDArray[Any] = (wide // np.uint32(1000)).astype(red.dtype)
    return cut
