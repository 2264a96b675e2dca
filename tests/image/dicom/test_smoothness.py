import numpy as np
import pytest

from cxrview.image.dicom.smoothness import is_much_smoother, roughness, share_closer, some_rows

NOISE = np.random.default_rng(0).integers(0, 65536, (200, 300)).astype("u2")
RAMP = np.add.outer(np.arange(200) * 7, np.arange(300) * 9).astype("u2")


def test_roughness_of_noise_is_that_of_even_spread():
    """The mean difference is a third of the range, the deviation its 12th part's root."""
    assert roughness(NOISE) == pytest.approx(12**0.5 / 3, rel=0.02)


def test_roughness_of_a_slope_is_its_step():
    assert roughness(RAMP) == pytest.approx(9 / RAMP.std())


@pytest.mark.parametrize("shape", [(5, 7), (5, 1), (1, 1)])
def test_a_constant_or_narrow_picture_has_no_smoothness(shape):
    assert roughness(np.full(shape, 3, "u2")) == float("inf")


def test_a_picture_is_smoother_than_its_bytes_exchanged_and_not_the_reverse():
    assert is_much_smoother(RAMP, RAMP.byteswap())
    assert not is_much_smoother(RAMP.byteswap(), RAMP)


@pytest.mark.parametrize("other", [NOISE.byteswap(), NOISE])
def test_of_two_noises_neither_is_smoother(other):
    assert not is_much_smoother(NOISE, other)
    assert not is_much_smoother(other, NOISE)


def test_bits_left_out_of_a_slope_drive_neighbours_apart():
    assert share_closer(RAMP, RAMP & 0xFF, 256) == 1
    assert share_closer(RAMP & 0xFF, RAMP, 256) == 0


def test_where_nothing_drifts_apart_nothing_is_told():
    assert share_closer(RAMP, RAMP, 256) is None
    assert share_closer(RAMP[:1, :1], RAMP[:1, :1], 256) is None


@pytest.mark.parametrize("rows", [1, 7, 128, 129, 3000])
@pytest.mark.parametrize("is_quick", [False, True])
def test_some_rows_reach_from_top_to_bottom(rows, is_quick):
    pixels = np.broadcast_to(np.arange(rows)[:, None], (rows, 600))

    some = some_rows(pixels, is_quick=is_quick)

    assert 1 <= len(some) <= 2 * (8 if is_quick else 128)
    assert some.shape[1] == (256 if is_quick else 600)
    assert some[-1, 0] - some[0, 0] >= rows * 0.7 - 1
