"""Squashing against the real `convert -resize 256x256!` (ImageMagick 6)."""

import csv
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrview.image import read_radiograph, squash


def squashed_by_convert(convert: str, pixels: np.ndarray, folder: Path) -> np.ndarray:
    # To PGM without -depth: with it, and to PNG, ImageMagick 6 cuts instead of rounding.
    Image.fromarray(pixels).save(folder / "in.pgm")
    subprocess.run(
        [convert, folder / "in.pgm", "-resize", "256x256!", folder / "out.pgm"],
        check=True,
    )
    return np.asarray(Image.open(folder / "out.pgm"))


def assert_close(ours: np.ndarray, theirs: np.ndarray) -> None:
    difference = np.abs(ours.astype(int) - theirs)
    assert difference.mean() <= 1
    assert np.percentile(difference, 99) <= 3


def some_radiographs(shared_data: Path, source: str, count: int) -> list[Path]:
    with (shared_data / "labels.csv").open() as file:
        files = [row["file"] for row in csv.DictReader(file) if row["source"] == source]
    return [shared_data / name for name in files[:: max(1, len(files) // count)][:count]]


@pytest.mark.slow
def test_full_size_radiographs_shrink_as_in_imagemagick(shared_data, program, tmp_path):
    files = sorted((shared_data / "full-size").glob("*.*g"))
    assert len(files) == 16
    convert = program("ImageMagick 6")
    for file in files:
        pixels = read_radiograph(str(file)).pixels

        assert_close(squash(pixels), squashed_by_convert(convert, pixels, tmp_path))


@pytest.mark.parametrize("source", ["covid", "hannover"])
def test_smaller_radiographs_shrink_as_in_imagemagick(shared_data, program, tmp_path, source):
    convert = program("ImageMagick 6")
    for file in some_radiographs(shared_data, source, 12):
        pixels = read_radiograph(str(file)).pixels

        assert_close(squash(pixels), squashed_by_convert(convert, pixels, tmp_path))


@pytest.mark.parametrize("shape", [(128, 128), (100, 200), (255, 255), (200, 400), (64, 250)])
def test_small_pictures_grow_as_in_imagemagick(shared_data, program, tmp_path, shape):
    """Some gain columns and lose rows: ImageMagick decides by the number of pixels."""
    convert = program("ImageMagick 6")
    for file in some_radiographs(shared_data, "covid", 4):
        large = Image.fromarray(read_radiograph(str(file)).pixels)
        pixels = np.asarray(large.resize(shape[::-1], Image.Resampling.BILINEAR))

        assert_close(squash(pixels), squashed_by_convert(convert, pixels, tmp_path))
