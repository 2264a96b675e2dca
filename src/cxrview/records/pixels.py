"""Checks type, range and shape of pixels, with messages that name the fix.

NumPy would convert other types to uint8 without an error: floats from 0 to 1 would become black,
and 12-bit values would keep their lowest 8 bits.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_TO_UINT8 = (
    "cxrview.image.minmax_to_uint8 windows other values; read_radiograph and squash give uint8"
)


def grey_picture(pixels: Any, what: str = "a picture") -> NDArray[np.uint8]:
    """Return pixels if they are one grey image.

    Args:
        pixels: shape (rows, columns), both at least 1, uint8, 0 to 255; a numpy array, or what
            numpy converts without a copy, such as a torch tensor on the CPU.
        what: name of the pixels, for the error.

    Returns:
        Shape (rows, columns), uint8: the array itself if it is numpy's; no value is read.

    Raises:
        ValueError: they are not; the message says what is expected and what was given.
    """
    array = _uint8(pixels, f"{what} is an array of shape (rows, columns)")
    if array.ndim == 2 and array.size:
        return array
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        how = "Convert a colour image to grey first, as read_radiograph does"
    elif array.ndim == 3:
        how = "Pass the images one by one"
    else:
        how = "read_radiograph gives such pixels"
    raise ValueError(
        f"{what} is an array of shape (rows, columns), both at least 1, uint8; "
        f"got shape {array.shape}. {how}"
    )


def square_picture(pixels: Any, what: str = "a picture") -> NDArray[np.uint8]:
    """Return pixels if they are one square grey image: shape (side, side), uint8.

    Raises:
        ValueError: they are not; the message says what is expected and what was given.
    """
    array = grey_picture(pixels, what)
    if array.shape[0] != array.shape[1]:
        raise ValueError(
            f"{what} is a square of uint8, shape (side, side); got shape {array.shape}. "
            "cxrview.image.squash makes one"
        )
    return array


def squashed_pictures(pixels: Any, side: int) -> NDArray[np.uint8]:
    """Return pixels if they are a batch of squashed radiographs.

    Args:
        pixels: shape (n, side, side), uint8, 0 to 255, n from 0; as for `grey_picture`.
        side: rows and columns that the model takes.

    Returns:
        Shape (n, side, side), uint8: the array itself if it is numpy's; no value is read.

    Raises:
        ValueError: they are not; the message says what is expected and what was given.
    """
    wanted = f"a batch of radiographs is one array of shape (n, {side}, {side})"
    array = _uint8(pixels, wanted)
    if array.ndim == 3 and array.shape[1:] == (side, side):
        return array
    if array.shape == (side, side):
        how = "One radiograph is a batch by pixels[None]"
    elif array.ndim == 4 and 1 in (array.shape[1], array.shape[-1]):
        channel = "[:, 0]" if array.shape[1] == 1 else "[..., 0]"
        how = f"pixels{channel} leaves out the axis of channels"
    elif array.ndim == 4:
        how = "Colour is not supported: convert the images to grey first, as read_radiograph does"
    else:
        how = f"cxrview.image.squash(picture, {side}) gives each, np.stack a batch of them"
    raise ValueError(f"{wanted}, uint8; got shape {array.shape}. {how}")


def _uint8(pixels: Any, wanted: str) -> NDArray[np.uint8]:
    if not hasattr(pixels, "dtype"):
        how = "np.stack makes one array of several" if isinstance(pixels, list | tuple) else ""
        got = f"a {type(pixels).__name__}"
        raise ValueError(f"{wanted}, uint8; got {got}" + (f". {how}" if how else ""))
    array: NDArray[Any] = np.asarray(pixels)
    if array.dtype != np.uint8:
        raise ValueError(
            f"{wanted}, uint8, 0 (black) to 255 (white); got {array.dtype}"
            f"{_range(array)}. {_TO_UINT8}"
        )
    return array


def _range(array: NDArray[Any]) -> str:
    """Describe the range of the values, if there are any and they are numbers."""
    if not array.size or array.dtype.kind not in "iuf":
        return ""
    numbers = array[np.isfinite(array)]
    if not numbers.size:
        return " without a finite value"
    more = ", and non-finite values" if numbers.size < array.size else ""
    return f" from {numbers.min():g} to {numbers.max():g}{more}"
