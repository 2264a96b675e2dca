"""Numbers as a careful author writes them."""

import pytest

from cxrview.records.evaluation import Interval
from cxrview.reports.format import (
    format_count,
    format_cutoff,
    format_interval,
    format_p,
    format_pfi,
    format_points,
    format_right,
    format_seconds,
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


def test_counts_are_written_with_thousands_apart():
    assert format_right(39_747, 39_856) == "39,747 of 39,856"


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0085, "+0.85"), (-0.012, "−1.20"), (0.0, "0.00"), (-0.00001, "0.00"), (1.0, "+100.00")],
)
def test_a_difference_has_a_sign_unless_it_is_nothing(share, words):
    assert format_points(share) == words


@pytest.mark.parametrize(
    ("cutoff", "words"), [(99.6, "99.6 %"), (56.95, "56.95 %"), (0.0, "0.0 %"), (100.0, "100.0 %")]
)
def test_a_cutoff_has_as_many_decimals_as_it_needs(cutoff, words):
    assert format_cutoff(cutoff) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3599.6, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (100_000, "27 h 47 min"),
    ],
)
def test_time_has_its_two_largest_units(seconds, words):
    assert format_seconds(seconds) == words
