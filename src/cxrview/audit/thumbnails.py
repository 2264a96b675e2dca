"""Small pictures of radiographs for a page that needs no network."""

import io
from base64 import b64encode

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.errors import UnreadableImage
from cxrview.image import read_radiograph

SIDE = 240
"""Of a thumbnail's longer side, in pixels."""
BORDER = 0.1
"""Share of each side that `masks_border` covers: there letters stand."""


def thumbnail(path: str, *, masks_border: bool) -> tuple[str, str]:
    """Read a file again and shrink it.

    Args:
        path: of the radiograph.
        masks_border: cover the outer tenth, since burned-in text can show names.

    Returns:
        A JPEG image as a data URI, and an empty reason; or an empty URI and why there is none.
    """
    try:
        pixels = read_radiograph(path).pixels
    except (UnreadableImage, MemoryError) as error:
        return "", getattr(error, "reason", "it needs too much memory")
    return data_uri(_masked(pixels) if masks_border else pixels), ""


def data_uri(pixels: NDArray[np.uint8]) -> str:
    """Encode a grey image, shrunk to SIDE.

    Args:
        pixels: shape (rows, columns), uint8.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=80)
    return "data:image/jpeg;base64," + b64encode(stream.getvalue()).decode("ascii")


def _masked(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows, columns = (round(BORDER * side) for side in pixels.shape)
    masked = np.full_like(pixels, 128)
    inside = (slice(rows, -rows or None), slice(columns, -columns or None))
    masked[inside] = pixels[inside]
    return masked
