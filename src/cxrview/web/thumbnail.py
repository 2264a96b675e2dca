"""Fits a radiograph into a square on somebody's screen, keeping its proportions."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.image.image_file import ImageFile
from cxrview.image.window import is_windowed_by_percentiles

_GAP = 2


def fitted(file: ImageFile, edge: int | None) -> NDArray[np.uint8]:
    """Decode and shrink; a picture that fits is left as it is.

    Where at least two pixels go into one either way, as with thumbnails, the fast reader is
    asked for a square first, which then is narrowed to the proportions. Not so within
    `windowed_by_percentiles`, which are those of all pixels.

    Args:
        file: opened.
        edge: rows and columns that the result has at the most; all pixels where None.

    Returns:
        Shape (rows, columns), uint8, bone bright.

    Raises:
        UnreadableImage: one of its children, naming why there are no pixels.
    """
    rows, columns = file.instance.rows or 0, file.instance.columns or 0
    is_all_needed = is_windowed_by_percentiles()
    if edge and not is_all_needed and min(rows, columns) >= _GAP * edge:
        small = file.decode_square(edge)
        # A photograph may have to be turned first, and then its proportions are others.
        if "exif_rotated" not in small.warnings:
            return _resized(small.pixels, _within(rows, columns, edge))
    pixels = file.decode().pixels
    rows, columns = pixels.shape
    return _resized(pixels, _within(rows, columns, edge)) if edge else pixels


def _within(rows: int, columns: int, edge: int) -> tuple[int, int]:
    longest = max(rows, columns)
    if longest <= edge:
        return rows, columns
    return max(1, round(rows * edge / longest)), max(1, round(columns * edge / longest))


def _resized(pixels: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """By Hamming's filter: nearly as sharp as Lanczos in less than half the time."""
    if pixels.shape == shape:
        return pixels
    rows, columns = shape
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((columns, rows), Image.Resampling.HAMMING, reducing_gap=_GAP))
