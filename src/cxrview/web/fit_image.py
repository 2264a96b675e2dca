"""Fits a radiograph into a square on the screen, keeping its proportions."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.image.image_file import ImageFile
from cxrview.image.window import is_windowed_by_percentiles

_GAP = 2


def fit_image(file: ImageFile, edge: int | None) -> NDArray[np.uint8]:
    """Decode and shrink an image; one that fits is left as it is.

    An image with at least twice as many rows and columns, as for thumbnails, is decoded by the fast
    reader to a square, which is then narrowed to the proportions. Within `windowed_by_percentiles`
    all pixels are decoded, because the percentiles are those of all pixels.

    Args:
        file: opened.
        edge: most rows and columns of the result; None for all pixels.

    Returns:
        Shape (rows, columns), uint8, bone bright.

    Raises:
        UnreadableImage: one of its subclasses, with the reason.
    """
    rows, columns = file.instance.rows or 0, file.instance.columns or 0
    is_all_needed = is_windowed_by_percentiles()
    if edge and not is_all_needed and min(rows, columns) >= _GAP * edge:
        small = file.decode_square(edge)
        # A photograph that must be rotated first has other proportions.
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
    """Shrink by Hamming's filter: nearly as sharp as Lanczos, in less than half the time."""
    if pixels.shape == shape:
        return pixels
    rows, columns = shape
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((columns, rows), Image.Resampling.HAMMING, reducing_gap=_GAP))
