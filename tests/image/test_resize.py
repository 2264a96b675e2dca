"""Squashing against a plain product of matrices (tests/against has ImageMagick); block sums."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrview.image import resize, squash
from cxrview.image.resize import block_sums, factors


def mitchell(distance: float) -> float:
    """Mitchell and Netravali 1988, with B = C = 1/3."""
    d = abs(distance)
    if d < 1:
        return (7 * d**3 - 12 * d**2 + 16 / 3) / 6
    return (-7 / 3 * d**3 + 12 * d**2 - 20 * d + 32 / 3) / 6 if d < 2 else 0.0


def weights(length: int, side: int) -> np.ndarray:
    """Of every source pixel in every result pixel."""
    stretch = max(length / side, 1)
    rows = [
        [mitchell((k + 0.5 - (i + 0.5) * length / side) / stretch) for k in range(length)]
        for i in range(side)
    ]
    return np.array(rows) / np.sum(rows, axis=1, keepdims=True)


@given(rows=st.integers(1, 60), columns=st.integers(1, 60), seed=st.integers(0, 99))
def test_squash_enlarges_to_the_nearest_whole_number_to_the_weighted_sum(rows, columns, seed):
    """Narrow ones lose rows while they gain columns. Of ties either neighbour is nearest."""
    side = int(np.sqrt(rows * columns)) + 1
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns), np.uint8)

    squashed = squash(pixels, side)

    grey = weights(rows, side) @ pixels @ weights(columns, side).T
    assert squashed.shape == (side, side)
    assert np.abs(squashed - np.clip(grey, 0, 255)).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("shape", [(1, 1), (64, 64), (255, 256), (65_535, 1), (1, 65_535)])
@pytest.mark.parametrize("value", [0, 3, 255])
def test_squash_keeps_a_flat_picture_flat(shape, value):
    assert (squash(np.full(shape, value, np.uint8)) == value).all()


def test_squash_returns_a_square_of_the_right_side_itself():
    pixels = np.zeros((256, 256), np.uint8)

    assert squash(pixels) is pixels


SIDE = 8


def block_by_block(values: np.ndarray, down: int, across: int) -> np.ndarray:
    """Sums of whole numbers without an end; of blocks that lack pixels, scaled up step by step."""
    by_row = [scaled_up(values[at : at + down].astype(object), down) for at in starts(values, down)]
    across_them = np.array(by_row).T
    both = [scaled_up(across_them[at : at + across], across) for at in starts(across_them, across)]
    return np.array(both).T


def starts(values: np.ndarray, size: int) -> range:
    return range(0, len(values), size)


def scaled_up(rows: np.ndarray, size: int) -> np.ndarray:
    return rows.sum(axis=0) * size // len(rows)


@settings(deadline=None, max_examples=200)
@given(
    rows=st.integers(1, 90),
    columns=st.integers(1, 90),
    dtype=st.sampled_from(["u1", "i1", "u2", "i2"]),
    is_full=st.booleans(),
    layout=st.sampled_from(["as it comes", "turned", "every second"]),
    band_bytes=st.sampled_from([1, 1000, 1 << 19]),
    seed=st.integers(0, 99),
)
def test_block_sums_add_up_as_integers_do(rows, columns, dtype, is_full, layout, band_bytes, seed):
    ends = np.iinfo(dtype)
    low, high = (ends.min, ends.max) if is_full else (max(ends.min, -7), 15)
    draw = np.random.default_rng(seed).integers
    values = {
        "as it comes": draw(low, high, (rows, columns), dtype, endpoint=True),
        "turned": draw(low, high, (columns, rows), dtype, endpoint=True).T,
        "every second": draw(low, high, (2 * rows, 2 * columns), dtype, endpoint=True)[::2, ::2],
    }[layout]
    down, across = factors(rows, columns, SIDE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resize, "_BAND_BYTES", band_bytes)
        blocks = block_sums(values, SIDE)

    assert blocks.sums.tolist() == block_by_block(values, down, across).tolist()
    assert blocks.count == down * across
    assert (blocks.low, blocks.high) == (values.min(), values.max())
    assert blocks.box == (0, 0, columns / across, rows / down)


@pytest.mark.parametrize(
    ("high", "dtype"), [(255, "u2"), (4095, "u2"), (4096, "u4"), (65535, "u4")]
)
def test_block_sums_are_of_the_narrowest_type(high, dtype):
    """Twice as wide takes twice the time of what takes most of it."""
    values = np.full((SIDE * 8, SIDE * 8), high, "u2")  # blocks of sixteen

    assert block_sums(values, SIDE).sums.dtype == np.dtype(dtype)


def test_block_sums_of_one_bright_band_widen_all():
    values = np.full((SIDE * 8, SIDE * 8), 1, "u2")
    values[-1, -1] = 65535

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resize, "_BAND_BYTES", 1)
        blocks = block_sums(values, SIDE)

    assert (blocks.low, blocks.high) == (1, 65535)
    assert blocks.sums[0, 0] == 16 and blocks.sums[-1, -1] == 65535 + 15
