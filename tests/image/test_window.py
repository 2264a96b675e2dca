import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cxrview.image.window import minmax_to_uint8

integers = st.sampled_from(["u1", "i1", "u2", "i2", "u4", "i4"]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, max_side=8))
)


@given(values=integers)
def test_the_ends_are_black_and_white(values):
    grey, is_constant = minmax_to_uint8(values)

    assert is_constant == (values.min() == values.max())
    assert grey.min() == 0
    assert grey.max() == (0 if is_constant else 255)


@given(values=integers)
def test_order_is_kept(values):
    grey, _ = minmax_to_uint8(values)
    order = np.argsort(values, axis=None)

    assert (np.diff(grey.ravel()[order].astype(int)) >= 0).all()


@given(values=integers)
def test_inverting_turns_black_into_white_within_one_level(values):
    straight, is_constant = minmax_to_uint8(values)
    inverse, _ = minmax_to_uint8(values, is_inverse=True)

    if not is_constant:
        assert np.abs(straight.astype(int) + inverse - 255).max() <= 1


@given(values=integers)
def test_whole_numbers_and_floats_agree_within_one_level(values):
    by_integers, _ = minmax_to_uint8(values)
    by_floats, _ = minmax_to_uint8(values.astype(np.float64))

    assert np.abs(by_integers.astype(int) - by_floats).max() <= 1


@given(
    values=hnp.arrays(
        np.float64,
        (4, 5),
        elements=st.floats(allow_nan=True, allow_infinity=True),
    )
)
@example(values=np.array([[5e-324, 0.0]]))
@example(values=np.array([[-1.7e308, 1.7e308, np.nan]]))
@pytest.mark.parametrize("is_inverse", [False, True])
def test_no_float_is_too_odd_to_be_drawn(values, is_inverse):
    grey, is_constant = minmax_to_uint8(values, is_inverse=is_inverse)
    minmax_to_uint8(values, is_inverse=is_inverse, is_sigmoid=True)

    assert grey.shape == values.shape
    assert (grey[~np.isfinite(values)] == 0).all()
    assert is_constant or {0, 255} <= set(grey.ravel().tolist())


def test_values_are_cut_and_not_rounded():
    grey, _ = minmax_to_uint8(np.array([[0, 1, 2, 3]], np.uint16))

    assert grey.tolist() == [[0, 85, 170, 255]]
    assert minmax_to_uint8(np.array([[0, 199, 200]], np.uint16))[0].tolist() == [[0, 253, 255]]


def test_padding_is_black_and_does_not_count():
    values = np.array([[-2000, 100, 150, 200]], np.int16)
    grey, _ = minmax_to_uint8(values, padding=values == -2000)

    assert grey.tolist() == [[0, 0, 127, 255]]


def test_padding_is_black_in_an_inverse_image_too():
    values = np.array([[-2000, 100, 150, 200]], np.int16)
    grey, _ = minmax_to_uint8(values, padding=values == -2000, is_inverse=True)

    assert grey.tolist() == [[0, 255, 127, 0]]


def test_padding_that_leaves_nothing_is_not_believed():
    values = np.array([[1, 2]], np.uint8)

    assert minmax_to_uint8(values, padding=values > 0)[0].tolist() == [[0, 255]]


def test_only_padding_and_one_value_is_constant():
    values = np.array([[9, 9, 0]], np.uint8)
    grey, is_constant = minmax_to_uint8(values, padding=values == 0)

    assert is_constant
    assert not grey.any()


@pytest.mark.parametrize("is_inverse", [False, True])
def test_a_sigmoid_runs_from_about_30_to_225(is_inverse):
    """1 / (1 + exp(2)) of 255 is 30."""
    grey, _ = minmax_to_uint8(
        np.arange(4096, dtype=np.uint16)[None], is_sigmoid=True, is_inverse=is_inverse
    )

    assert (grey.min(), grey.max()) == (30, 224) if not is_inverse else (30, 225)
    assert (np.diff(grey[0].astype(int)) * (-1 if is_inverse else 1) >= 0).all()
