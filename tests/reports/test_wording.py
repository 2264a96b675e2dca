import pytest

from cxrview.reports.format import format_cutoff, format_points, format_right, format_seconds


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
