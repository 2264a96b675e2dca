"""Lanczos' filter against Pillow, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cxrview.image import lanczos
from cxrview.image.lanczos import Box, resize_lanczos
from cxrview.image.resize import resize_square


def by_pillow(pixels: np.ndarray, side: int, box: Box) -> np.ndarray:
    """In two calls, since Pillow 13 chooses which direction comes first."""
    left, upper, right, lower = box
    rows = pixels.shape[0]
    kind = Image.Resampling.LANCZOS
    narrow = Image.fromarray(pixels).resize((side, rows), kind, box=(left, 0, right, rows))
    return np.asarray(narrow.resize((side, side), kind, box=(0, upper, side, lower)))


def drawn(rows: int, columns: int, seed: int, *, is_binary: bool = False) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns), np.uint8)
    return np.where(pixels > 127, np.uint8(255), np.uint8(0)) if is_binary else pixels


@settings(deadline=None, max_examples=300)
@given(
    rows=st.integers(1, 400),
    columns=st.integers(1, 400),
    side=st.integers(1, 150),
    is_binary=st.booleans(),  # where the filter overshoots, and results are cut off
    pixels_together=st.sampled_from([1, 1000, 1 << 17]),
    edges=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    seed=st.integers(0, 99),
)
def test_pixels_are_those_of_pillow(rows, columns, side, is_binary, pixels_together, edges, seed):
    pixels = drawn(rows, columns, seed, is_binary=is_binary)
    (left, right), (upper, lower) = sorted(edges[:2]), sorted(edges[2:])
    box = (left * columns, upper * rows, right * columns, lower * rows)
    if box[2] - box[0] < 1 or box[3] - box[1] < 1:
        box = (0, 0, columns, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lanczos, "_PIXELS", pixels_together)
        square = resize_lanczos(pixels, side, box)

    assert square.dtype == np.uint8
    assert np.array_equal(square, by_pillow(pixels, side, box))


@pytest.mark.parametrize(("rows", "columns"), [(2430, 1994), (1024, 1024), (512, 700), (257, 256)])
def test_a_radiograph_becomes_the_square_of_pillow(rows, columns):
    pixels = drawn(rows, columns, 7)

    assert np.array_equal(
        resize_lanczos(pixels, 256), by_pillow(pixels, 256, (0, 0, columns, rows))
    )


@pytest.mark.parametrize(
    ("rows", "columns", "box"),
    [
        (2430, 1994, None),  # by blocks of 4 x 3
        (1500, 2600, None),  # of 2 x 5
        (641, 665, (0, 0, 664.667, 640.25)),  # sums of blocks, the last ones incomplete
        (1250, 1030, (0, 0, 1029.5, 1249.25)),  # as JPEG 2000 of few resolutions
    ],
)
def test_blocks_are_averaged_as_by_reducing_gap_of_pillow(rows, columns, box):
    pixels = drawn(rows, columns, 3)

    kind = Image.Resampling.LANCZOS
    pillow = Image.fromarray(pixels).resize((256, 256), kind, box=box, reducing_gap=2)

    assert np.array_equal(resize_square(pixels, 256, box), np.asarray(pillow))
