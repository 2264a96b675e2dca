"""Squashing, beside a plain product of matrices; tests/against has ImageMagick itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.image import squash


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
def test_enlarging_gives_the_nearest_whole_number_to_the_weighted_sum(rows, columns, seed):
    """Narrow ones lose rows while they gain columns. Of ties either neighbour is nearest."""
    side = int(np.sqrt(rows * columns)) + 1
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns), np.uint8)

    squashed = squash(pixels, side)

    grey = weights(rows, side) @ pixels @ weights(columns, side).T
    assert squashed.shape == (side, side)
    assert np.abs(squashed - np.clip(grey, 0, 255)).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("shape", [(1, 1), (64, 64), (255, 256), (65_535, 1), (1, 65_535)])
@pytest.mark.parametrize("value", [0, 3, 255])
def test_a_flat_picture_stays_flat(shape, value):
    assert (squash(np.full(shape, value, np.uint8)) == value).all()


def test_a_square_of_the_right_side_is_the_input_itself():
    pixels = np.zeros((256, 256), np.uint8)

    assert squash(pixels) is pixels
