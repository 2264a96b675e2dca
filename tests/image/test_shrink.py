"""Blocks of pixels add up to what whole numbers say, whatever their size, type and memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrview.image import resize
from cxrview.image.resize import block_sums, factors

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
def test_blocks_add_up(rows, columns, dtype, is_full, layout, band_bytes, seed):
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
def test_sums_are_no_wider_than_they_need_be(high, dtype):
    """Twice as wide takes twice the time of what takes most of it."""
    values = np.full((SIDE * 8, SIDE * 8), high, "u2")  # blocks of sixteen

    assert block_sums(values, SIDE).sums.dtype == np.dtype(dtype)


def test_one_bright_band_widens_the_sums_of_all():
    values = np.full((SIDE * 8, SIDE * 8), 1, "u2")
    values[-1, -1] = 65535

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resize, "_BAND_BYTES", 1)
        blocks = block_sums(values, SIDE)

    assert (blocks.low, blocks.high) == (1, 65535)
    assert blocks.sums[0, 0] == 16 and blocks.sums[-1, -1] == 65535 + 15
