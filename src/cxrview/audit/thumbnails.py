"""Small pictures of radiographs for a page that needs no network."""

import io
import os
from base64 import b64encode
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.image import read_radiograph
from cxrview.image.failure import read_or_failure
from cxrview.records.classification import Failure
from cxrview.results.columns import Row, from_printable
from cxrview.sources.paths import absolute
from cxrview.web.mask_border import mask_border

SIDE = 240
"""Of a thumbnail's longer side, in pixels."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A JPEG image as a data URI, or why there is none."""

    uri: str = ""
    reason: str = ""
    """Empty where there is an image."""
    columns: int = 0
    rows: int = 0


def read_thumbnails(
    rows: Iterable[Row],
    folder: str,
    *,
    masks_border: bool,
    on_picture: Callable[[int], object],
) -> dict[str, Thumbnail]:
    """Read the files of some rows of a result again and shrink them.

    Args:
        rows: with `path` and `content_id`.
        folder: what relative paths are relative to.
        masks_border: as for `thumbnail`.
        on_picture: called with how many more images have been read.

    Returns:
        A thumbnail by the path as the result has it.
    """

    def read(row: Row) -> tuple[str, Thumbnail]:
        path = absolute(from_printable(row["path"]), folder)
        found = thumbnail(path, masks_border=masks_border, content_id=row["content_id"] or "")
        on_picture(1)
        return row["path"], found

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoders release the lock
        return dict(pool.map(read, rows))


def thumbnail(path: str, *, masks_border: bool, content_id: str = "") -> Thumbnail:
    """Read a file again and shrink it.

    Args:
        path: of the radiograph.
        masks_border: cover the outer tenth, since burned-in text can show names.
        content_id: of the file that was classified; a file with another one is not shown, because
            the result does not describe it. Empty: any is shown.
    """
    radiograph = read_or_failure(path, lambda: read_radiograph(path))
    if isinstance(radiograph, Failure):
        return Thumbnail(reason=radiograph.reason)
    found = radiograph.instance.content_id
    if content_id and found and found != content_id:
        return Thumbnail(reason="the file has changed since it was classified")
    return make_thumbnail(mask_border(radiograph.pixels) if masks_border else radiograph.pixels)


def make_thumbnail(pixels: NDArray[np.uint8]) -> Thumbnail:
    """Encode an image, shrunk to SIDE.

    Args:
        pixels: shape (rows, columns), grey, or (rows, columns, 3), colour; uint8.
    """
    image = Image.fromarray(pixels)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=80)
    uri = "data:image/jpeg;base64," + b64encode(stream.getvalue()).decode("ascii")
    return Thumbnail(uri=uri, columns=image.width, rows=image.height)
