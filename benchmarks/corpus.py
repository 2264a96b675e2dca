"""Draws full-size phantoms in every transfer syntax, PNG and JPEG, and keeps them for later runs.

Usage: python benchmarks/corpus.py FOLDER [IMAGES]

FOLDER gets one folder per format with IMAGES (default 4) files of 2500 x 2048 pixels, 12 bits if
the format supports them, and one of 1024 x 1024 JPEGs. Formats show the same patients. Existing
files are not drawn again. Prints how much smaller each format is than native pixels.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.capacity.drawn_images import SIZE, draw_radiograph, encode_radiograph
from cxrview.phantom.archive import DEFAULT_SYNTAXES
from cxrview.phantom.dicom import Shot

RASTERS = ("png", "jpeg-file")
FORMATS = (*DEFAULT_SYNTAXES, *RASTERS)
SMALL_JPEG = "jpeg-1024"
"""Not in the mixed corpus: for the goal for 8-bit JPEGs."""
LOSSLESS = ("jpeg-lossless", "jpeg-lossless-p14", "jpeg-ls", "jpeg-2000", "htj2k")
REAL_RATIOS = (2.0, 3.5)
"""Compression ratios of lossless streams of real radiographs; the corpus must be between them."""


def make_corpus(folder: Path, images: int) -> dict[str, list[Path]]:
    """Draw missing files, and give the files of each format."""
    for number in range(images):
        missing = [f for f in (*FORMATS, SMALL_JPEG) if not _place(folder, f, number).exists()]
        if missing:
            shot, pixels = draw_radiograph(number)
            for name in missing:
                path = _place(folder, name, number)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(_encode(name, shot, pixels))
    return {f: [_place(folder, f, n) for n in range(images)] for f in (*FORMATS, SMALL_JPEG)}


def link_corpus(files: list[Path], folder: Path, count: int) -> int:
    """Fill a folder with hard links to the files, so that a run takes long enough."""
    folder.mkdir(parents=True)
    for number in range(count):
        file = files[number % len(files)]
        (folder / f"{number:06}-{file.parent.name}-{file.name}").hardlink_to(file)
    return count


def ratios(corpus: dict[str, list[Path]]) -> dict[str, float]:
    """Compute the compression ratio of each format against 16-bit pixels."""
    native = SIZE[0] * SIZE[1] * 2
    return {
        name: native * len(files) / sum(file.stat().st_size for file in files)
        for name, files in corpus.items()
        if name != SMALL_JPEG
    }


def print_ratios(corpus: dict[str, list[Path]]) -> None:
    """Print one line per format, and whether lossless streams are as large as real ones."""
    low, high = REAL_RATIOS
    for name, ratio in ratios(corpus).items():
        real = "" if name not in LOSSLESS or low <= ratio <= high else "  not as real films are"
        print(f"{name:18} {ratio:5.2f} : 1{real}")


def _place(folder: Path, name: str, number: int) -> Path:
    return folder / name / f"IM{number:04}"


def _encode(name: str, shot: Shot, pixels: NDArray[np.uint16]) -> bytes:
    if name not in (*RASTERS, SMALL_JPEG):
        return encode_radiograph(name, shot, pixels)
    file = io.BytesIO()
    if name == "png":
        Image.fromarray(pixels << 4).save(file, "PNG")
        return file.getvalue()
    grey = Image.fromarray((pixels >> 4).astype(np.uint8))
    if name == SMALL_JPEG:
        grey = grey.resize((1024, 1024), Image.Resampling.LANCZOS)
    grey.save(file, "JPEG", quality=92)
    return file.getvalue()


def each_file(corpus: dict[str, list[Path]]) -> Iterator[Path]:
    """Give the mixed corpus: one file of each format, then the next of each."""
    for row in zip(*(corpus[name] for name in FORMATS), strict=True):
        yield from row


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    print_ratios(make_corpus(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) == 3 else 4))
