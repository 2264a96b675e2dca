"""The calibration curve shows every bin with its interval and its images."""

import numpy as np
import pytest

from cxrview.assess.accuracy import assess_pfi
from cxrview.reports.figures.reliability import draw_reliability


@pytest.fixture(scope="module")
def assessment(sets):
    external = sets["external"]
    return assess_pfi(external.pfi, external.is_frontal, cutoff=50)


def test_the_points_are_scikit_learns_calibration_curve(sets, assessment):
    from sklearn.calibration import calibration_curve

    external = sets["external"]

    curve, _ = draw_reliability(assessment).axes

    shares, means = calibration_curve(external.is_frontal, external.pfi / 100, n_bins=10)
    line = curve.containers[0].lines[0]
    assert line.get_xdata() == pytest.approx(100 * means)
    assert line.get_ydata() == pytest.approx(100 * shares)


def test_the_intervals_are_exact(assessment):
    curve, _ = draw_reliability(assessment).axes

    (bars,) = curve.containers[0].lines[2]
    ends = [(low, high) for (_, low), (_, high) in bars.get_segments()]
    expected = [(100 * b.interval.low, 100 * b.interval.high) for b in assessment.reliability]
    assert np.array(ends) == pytest.approx(np.array(expected), abs=1e-9)


def test_every_image_is_counted_in_words(assessment, words):
    figure = draw_reliability(assessment, name="external")

    heights = [bar.get_height() for bar in figure.axes[1].containers[0]]
    assert sum(heights) == assessment.table.total
    text = words(figure)
    assert all(f"{height:,.0f}" in text for height in heights)
    assert any(f"{assessment.calibration_error:.2f} percentage points" in t for t in text)


def test_it_can_be_printed(assessment, check_print):
    check_print(lambda: draw_reliability(assessment, name="external"))


def test_many_bins_of_many_images_can_be_printed(check_print):
    rng = np.random.default_rng(0)
    pfi = 100 * rng.beta(0.2, 0.2, 200_000)
    assessment = assess_pfi(pfi, rng.random(200_000) < pfi / 100, cutoff=50, bins=20)
    check_print(lambda: draw_reliability(assessment, name="inside"))
