import pytest

from cxrview.service.delivery.backoff import Backoff

BACKOFF = Backoff(first_seconds=30, longest_seconds=3600)


@pytest.mark.parametrize(("tries", "seconds"), [(1, 30), (2, 60), (3, 120), (8, 3600), (900, 3600)])
def test_seconds_double_up_to_the_longest(tries, seconds):
    assert BACKOFF.seconds(tries, 1.0) == seconds
    assert BACKOFF.seconds(tries, 0.0) == seconds / 2
    assert seconds / 2 <= BACKOFF.seconds(tries) <= seconds
