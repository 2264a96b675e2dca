"""Numbers as a careful author writes them."""

import pytest

from cxrview.records import Interval
from cxrview.reports.format import (
    format_count,
    format_interval,
    format_p,
    format_pfi,
    format_share,
)


def test_counts_have_separators_and_the_right_noun():
    assert format_count(119_674, "images") == "119,674 images"
    assert format_count(1, "patients") == "1 patient"
    assert format_count(0, "images") == "0 images"
    assert format_count(1377) == "1,377"


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (1e-30, "p < 0.001"),
        (0.0059, "p = 0.0059"),
        (0.0123, "p = 0.012"),
        (0.05, "p = 0.050"),
        (0.5412, "p = 0.54"),
        (1.0, "p = 1.00"),
    ],
)
def test_a_p_value_is_a_figure_until_it_is_too_small_to_matter(p, text):
    assert format_p(p) == text


@pytest.mark.parametrize(
    ("pfi", "text"),
    [
        (100.0, "100.00 %"),
        (99.9999, "> 99.99 %"),
        (0.003, "< 0.01 %"),
        (0.0, "0.00 %"),
        (14.3, "14.30 %"),
    ],
)
def test_a_probability_is_not_rounded_to_certainty(pfi, text):
    assert format_pfi(pfi) == text


def test_an_error_in_a_hundred_thousand_images_is_not_rounded_away():
    assert format_share(39_748 / 39_856) == "99.73 %"
    assert format_share(119_567 / 119_568) == "> 99.99 %"
    assert format_share(377 / 377) == "100.00 %"


def test_an_interval_is_in_percent():
    assert format_interval(Interval(low=0.9967, high=0.9978)) == "99.67–99.78 %"
