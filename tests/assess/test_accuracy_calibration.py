"""Reliability and calibration error, against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.assess.accuracy import calibration_error, reliability_curve

image = st.tuples(st.integers(0, 1000).map(lambda k: k / 10), st.booleans())
images = st.lists(image, min_size=1, max_size=80).map(
    lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True))
)


@given(data=images, bins=st.sampled_from([1, 2, 4, 8]))
def test_the_curve_is_scikit_learns(data, bins):
    """With bins whose edges are exact as percent and as shares: others are rounded there."""
    from sklearn.calibration import calibration_curve

    pfi, is_frontal = data
    found = reliability_curve(pfi, is_frontal, bins=bins)

    frontal, mean = calibration_curve(is_frontal, pfi / 100, n_bins=bins)
    assert [b.percent_frontal for b in found] == pytest.approx(100 * frontal)
    assert [b.mean_pfi for b in found] == pytest.approx(100 * mean)


@given(data=images, bins=st.integers(1, 50))
def test_every_image_lies_in_the_bin_that_counts_it(data, bins):
    pfi, is_frontal = data
    found = reliability_curve(pfi, is_frontal, bins=bins)

    assert sum(b.images for b in found) == len(pfi)
    for b in found:
        inside = (pfi > b.low) & (pfi <= b.high) | ((b.low == 0) & (pfi == 0))
        assert inside.sum() == b.images
        assert b.percent_frontal == pytest.approx(100 * is_frontal[inside].mean())
        assert b.interval.low <= b.percent_frontal / 100 <= b.interval.high


@given(data=images)
def test_one_bin_compares_the_means(data):
    pfi, is_frontal = data
    found = calibration_error(reliability_curve(pfi, is_frontal, bins=1))

    assert found == pytest.approx(abs(pfi.mean() - 100 * is_frontal.mean()), abs=1e-9)


@given(data=images)
def test_the_error_never_exceeds_that_of_single_images(data):
    """|mean of a - mean of b| is at most the mean of |a - b|."""
    pfi, is_frontal = data
    found = calibration_error(reliability_curve(pfi, is_frontal))

    assert 0 <= found <= np.abs(pfi - 100 * is_frontal).mean() + 1e-9


def test_a_classifier_that_keeps_its_word_has_no_error():
    pfi = np.repeat([25.0, 80.0], [8, 10])
    is_frontal = np.r_[np.arange(8) < 2, np.arange(10) < 8]

    assert calibration_error(reliability_curve(pfi, is_frontal)) == pytest.approx(0)


def test_the_error_weighs_bins_by_their_images():
    """Three images 10 points off and one 50 points off: (3 x 10 + 50) / 4."""
    pfi, is_frontal = np.array([90.0, 90, 90, 50]), np.array([True, True, True, True])

    assert calibration_error(reliability_curve(pfi, is_frontal)) == pytest.approx(20)


def test_an_edge_belongs_to_the_bin_below_and_zero_to_the_first():
    pfi = np.array([0.0, 10.0, 10.1, 100.0])

    found = reliability_curve(pfi, np.array([False, False, True, True]))

    assert [(b.low, b.high, b.images) for b in found] == [(0, 10, 2), (10, 20, 1), (90, 100, 1)]


@pytest.mark.parametrize(
    ("pfi", "truth", "bins", "why"),
    [
        ([], [], 10, "0 images have 0 truths"),
        ([1.0], [True, False], 10, "1 image has 2 truths"),
        ([101.0], [True], 10, "0 to 100"),
        ([float("nan")], [True], 10, "0 to 100"),
        ([1.0], [True], 0, "at least one bin"),
    ],
)
def test_what_makes_no_curve_is_refused(pfi, truth, bins, why):
    with pytest.raises(ValueError, match=why):
        reliability_curve(np.array(pfi), np.array(truth, bool), bins=bins)
