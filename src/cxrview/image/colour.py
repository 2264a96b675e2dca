"""Turns colours into grey by the luma of ITU-R BT.601, as DCMTK and ImageMagick do."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


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
