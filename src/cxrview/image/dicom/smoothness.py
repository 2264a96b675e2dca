"""Compare two interpretations of the same samples by their smoothness, to find the right one.

In a radiograph neighbouring pixels differ little. If bits are misread (a wrong byte order, missing
bits of the value, additional bits), neighbours differ much wherever these bits change. Only some
rows are compared.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_FEW_ROWS, _FEW_COLUMNS, _MANY_ROWS = 8, 256, 128
_ROUGHER = 1.5
"""Ratio of roughness; real radiographs of 12 bits and more in the wrong byte order have 3.5 or
more."""
_MIN_CLOSER_SHARE = 0.7
"""Minimum share of neighbours that are closer in the right byte order; 0.78 or more in real
files."""
_JUMP, _MIN_REMOVED_RATIO = 0.5, 4
"""A jump is half of the spread of all pixels; in the right byte order at least four disappear for
each that appears."""
SURE = 0.75
"""Minimum share of closer neighbours for an interpretation to be accepted."""
_MIN_PAIRS = 4


def some_rows(samples: NDArray[Any], *, is_quick: bool = False) -> NDArray[Any]:
    """Take rows from top to bottom.

    Args:
        samples: shape (rows, columns).
        is_quick: 8 rows or a few more, and only their 256 pixels in the middle; otherwise 128
            complete rows or a few more.

    Returns:
        A view of the same dtype.
    """
    rows, columns = samples.shape
    if not is_quick:
        return samples[:: max(1, rows // _MANY_ROWS)]
    step, first = max(1, rows // _FEW_ROWS), max(0, (columns - _FEW_COLUMNS) // 2)
    return samples[step // 2 :: step, first : first + _FEW_COLUMNS]


def roughness(values: NDArray[Any]) -> float:
    """Return the mean difference of neighbours in a row, in standard deviations of all pixels.

    Args:
        values: shape (rows, columns), integers of up to 32 bits.

    Returns:
        About 1.1 for noise, 0.02 to 0.3 for radiographs; infinity for a constant picture.
    """
    numbers = wide(values)
    deviation = float(numbers.std()) if numbers.size else 0.0
    if not deviation or values.shape[1] < 2:
        return float("inf")
    return float(np.abs(np.diff(numbers, axis=1)).mean()) / deviation


def is_much_smoother(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether the first interpretation is certainly the picture and the second is not.

    Args:
        one: shape (rows, columns), complete rows of a picture.
        other: the same pixels in another interpretation.
    """
    # A constant picture is perfectly smooth, but not a better interpretation.
    rough_one, rough_other = roughness(one), roughness(other)
    if not np.isfinite(rough_one) or rough_other < _ROUGHER * rough_one:
        return False
    if not np.isfinite(rough_other):
        return True
    of_one, of_other = (
        np.abs(np.diff(wide(v), axis=1)) / np.float32(_spread(v)) for v in (one, other)
    )
    # Pairs are counted, so that a few outliers, which set the means, do not decide.
    closer, differing = int((of_one < of_other).sum()), int(((of_one > 0) | (of_other > 0)).sum())
    only_in_other = int(((of_one < _JUMP) & (of_other > _JUMP)).sum())
    only_in_one = int(((of_one > _JUMP) & (of_other < _JUMP)).sum())
    return closer > _MIN_CLOSER_SHARE * differing and only_in_other >= max(
        _MIN_PAIRS, _MIN_REMOVED_RATIO * only_in_one
    )


def share_closer(one: NDArray[Any], other: NDArray[Any], step: int) -> float | None:
    """Return the share of neighbours that are closer in the first of two interpretations.

    Args:
        one: shape (rows, columns), integers of up to 32 bits.
        other: the same pixels without some bits; values differ by multiples of `step`.
        step: neighbours that differ by more, such as at edges, are not counted.

    Returns:
        Share of neighbours that are closer in the first one; None if too few differ.
    """
    counts = [
        _count_closer(of_one, of_other, step)
        for of_one, of_other in zip(_differences(one), _differences(other), strict=True)
    ]
    closer, pairs = (sum(k) for k in zip(*counts, strict=True))
    return closer / pairs if pairs >= _MIN_PAIRS else None


def _count_closer(of_one: NDArray[Any], of_other: NDArray[Any], step: int) -> tuple[int, int]:
    drift = np.abs(of_one - of_other) == step
    return int((np.abs(of_one[drift]) < np.abs(of_other[drift])).sum()), int(drift.sum())


def _differences(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the differences of neighbours in rows and in columns, for some rows."""
    rows = values.shape[0]
    upper = wide(some_rows(values[: max(1, rows - 1)]))
    lower = wide(some_rows(values[min(1, rows - 1) :]))
    return np.diff(upper, axis=1), lower[: len(upper)] - upper[: len(lower)]


def wide(values: NDArray[Any]) -> NDArray[Any]:
    """Convert integers of up to 32 bits to a type that holds their differences."""
    return values.astype(np.int32 if values.dtype.itemsize <= 2 else np.int64)


def _spread(values: NDArray[Any]) -> float:
    """Return the distance of the 10th and 90th percentile; if it is 0, the standard deviation."""
    low, high = np.percentile(values, [10, 90])
    return float(high - low) or float(wide(values).std())
