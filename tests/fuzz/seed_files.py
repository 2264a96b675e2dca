"""Sound files of every format and transfer syntax that cxrview reads, made by code."""

import tempfile
from functools import cache
from io import BytesIO
from itertools import cycle
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from cxrview.image import read_radiograph
from cxrview.phantom.archive import draw_archive
from cxrview.phantom.damage import DAMAGES
from cxrview.phantom.dicom import Shot, make_instance, to_bytes
from cxrview.phantom.encode import SYNTAXES, find_syntax
from cxrview.phantom.mislabel import HEADER_FAULTS
from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import render_patient
from cxrview.terms import Projection


@cache
def drawn_archive() -> tuple[bytes, ...]:
    """A small drawn archive: every transfer syntax, every header fault, every kind of damage."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "archive"
        draw_archive(out, patients=10, size=(128, 106), damages=tuple(DAMAGES), seed=5)
        files = sorted(file for file in out.rglob("*") if file.is_file())
        return tuple(data for file in files if (data := file.read_bytes()))


@cache
def dicom_of_each_syntax() -> tuple[bytes, ...]:
    """One drawn radiograph in every transfer syntax, with the header faults in turn.

    It takes a tenth of the time of `drawn_archive`, since only one picture is drawn.
    """
    patient = draw_patient(1, 5)
    shot = Shot(patient=patient, projection=Projection.PA, archive_seed=5)
    pixels = render_patient(patient, Projection.PA, (96, 80), shot.bits)
    found = []
    for name, fault in zip(SYNTAXES, cycle(["", *HEADER_FAULTS]), strict=False):
        dataset = make_instance(pixels, shot, find_syntax(name))
        if fault:
            HEADER_FAULTS[fault].apply(dataset, shot.projection)
        found.append(to_bytes(dataset))
    return tuple(found)


@cache
def raster_files() -> tuple[bytes, ...]:
    """The same radiograph as PNG, JPEG and TIFF, of every kind."""
    return _raster_files(read_radiograph(dicom_of_each_syntax()[0]).pixels)


def _raster_files(grey: NDArray[np.uint8]) -> tuple[bytes, ...]:
    return (*png_files(grey), *jpeg_files(grey), *tiff_files(grey))


def _saved(pixels: NDArray[np.generic], **how: object) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, **how)
    return file.getvalue()


def png_files(grey: NDArray[np.uint8]) -> tuple[bytes, ...]:
    """PNG files: grey of 8 and 16 bits, colour, palette, with transparency and text."""
    deep = grey.astype(np.uint16) * 257
    colour = np.stack([grey, grey[::-1], grey], axis=2)
    palette = BytesIO()
    Image.fromarray(colour).quantize(16).save(palette, format="PNG")
    rotated = Image.Exif()
    rotated[0x0112] = 6
    return (
        _saved(grey, format="PNG"),
        _saved(deep, format="PNG"),
        _saved(colour, format="PNG", exif=rotated),
        _saved(np.dstack([colour, grey]), format="PNG"),
        palette.getvalue(),
        _saved(grey, format="PNG", icc_profile=bytes(500)),
    )


def jpeg_files(grey: NDArray[np.uint8]) -> tuple[bytes, ...]:
    """JPEG files: grey and colour, baseline and progressive, with Exif and several pages."""
    colour = np.stack([grey, grey[::-1], grey], axis=2)
    rotated = Image.Exif()
    rotated[0x0112] = 8
    pages = BytesIO()
    first, second = Image.fromarray(grey), Image.fromarray(grey[::-1])
    first.save(pages, format="MPO", save_all=True, append_images=[second])
    return (
        _saved(grey, format="JPEG"),
        _saved(colour, format="JPEG", exif=rotated),
        _saved(grey, format="JPEG", progressive=True),
        _saved_cmyk(colour),
        pages.getvalue(),
    )


def _saved_cmyk(colour: NDArray[np.uint8]) -> bytes:
    file = BytesIO()
    Image.fromarray(colour).convert("CMYK").save(file, format="JPEG")
    return file.getvalue()


def tiff_files(grey: NDArray[np.uint8]) -> tuple[bytes, ...]:
    """TIFF files: strips and tiles, compressions, depths, pages, BigTIFF and big endian."""
    deep = grey.astype(np.uint16) * 257
    colour = np.stack([grey, grey[::-1], grey], axis=2)

    def written(pixels: NDArray[np.generic], *, order: str = "<", **how: object) -> bytes:
        file = BytesIO()
        is_big = bool(how.pop("bigtiff", False))
        with tifffile.TiffWriter(file, byteorder=order, bigtiff=is_big) as tiff:
            tiff.write(pixels, **how)
            if how.get("subifds"):
                tiff.write(pixels[::2, ::2])
        return file.getvalue()

    return (
        written(grey, photometric="minisblack"),
        written(deep, photometric="miniswhite", compression="zlib", predictor=True),
        written(deep, photometric="minisblack", compression="lzw", tile=(32, 32)),
        written(colour, photometric="rgb", compression="jpeg", rowsperstrip=16),
        written(colour, photometric="rgb", compression="packbits", order=">"),
        written(grey, photometric="minisblack", compression="zstd", bigtiff=True),
        written(grey, photometric="minisblack", subifds=1),
        written(np.stack([grey, grey]), photometric="minisblack", compression="jpeg2000"),
    )


def all_files() -> tuple[bytes, ...]:
    """The files of `mutate_archive`; with others, its numbers would name other files."""
    drawn = drawn_archive()
    return (*drawn, *_raster_files(read_radiograph(drawn[0]).pixels))
