"""Decode one labelled file to the model's square."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.errors import Unsupported
from cxrview.image import ReadOptions, read_radiograph, squash
from cxrview.image.failure import read_or_failure
from cxrview.image.fetch import fetch_local
from cxrview.image.file_format import FileFormat
from cxrview.records.classification import Failure, Instance
from cxrview.records.dataset import HeaderFacts

JPEG_QUALITY = 90
"""The default of DCMTK (dcmj2pnm 3.6.0); the paper does not give one."""
JPEG_MAX_SIDE = 65_500
"""Maximum of rows and columns in libjpeg."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Squashed:
    """One file as the model's input."""

    pixels: NDArray[np.uint8]
    """Shape (256, 256), uint8."""
    file_sha256: str
    pixel_sha256: str
    warnings: tuple[str, ...]
    header: HeaderFacts | None = None
    """None of a PNG, JPEG or TIFF file, which has none."""


def squash_file(path: Path, *, as_published: bool = False) -> Squashed | Failure:
    """Decode one file to the model's square; every error becomes a failure.

    Args:
        path: a regular file.
        as_published: window as DCMTK does, padding included, and compress the picture in full
            size as JPEG before it is resized.

    Source:
        Paper, section 1: DCMTK's min-max windowing to 8-bit grey lossy JPEG, then ImageMagick.
    """
    return read_or_failure(str(path), lambda: _squash(path, as_published))


def _squash(path: Path, as_published: bool) -> Squashed:
    fetched = fetch_local(str(path), path, ReadOptions())
    data = bytes(fetched.data)
    radiograph = read_radiograph(data, ReadOptions(exact=as_published))
    pixels = through_jpeg(radiograph.pixels) if as_published else radiograph.pixels
    squashed = np.ascontiguousarray(squash(pixels))
    codes = radiograph.warnings
    return Squashed(
        pixels=squashed,
        file_sha256=hashlib.sha256(data).hexdigest(),
        pixel_sha256=hashlib.sha256(squashed.tobytes()).hexdigest(),
        warnings=(*codes, "constant_image") if radiograph.is_constant else codes,
        header=_header(radiograph.instance, fetched.kind),
    )


def through_jpeg(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Compress a picture as grey baseline JPEG of quality 90 and decode it.

    Args:
        pixels: shape (rows, columns), uint8.

    Returns:
        The same shape, uint8; equal to the result of `dcmj2pnm +Wm -O +oj +Jq 90`.

    Raises:
        Unsupported: more rows or columns than a JPEG can have.
    """
    import imagecodecs

    if max(pixels.shape) > JPEG_MAX_SIDE:
        raise Unsupported(
            "",
            f"a JPEG has at most {JPEG_MAX_SIDE:,} rows and columns",
            "Prepare it without --as-published",
        )
    passed: NDArray[np.uint8] = imagecodecs.jpeg8_decode(
        imagecodecs.jpeg8_encode(pixels, level=JPEG_QUALITY)
    )
    return passed


def _header(instance: Instance, kind: FileFormat) -> HeaderFacts | None:
    if kind is not FileFormat.DICOM:
        return None
    return HeaderFacts(manufacturer=instance.manufacturer, view=instance.header_view)
