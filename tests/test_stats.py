"""The paper's own figures, scikit-learn and scipy hold the arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.stats import CUTOFFS, exact_interval, youden_cutoff

tenths = st.integers(0, 1000).map(lambda k: k / 10)


def test_the_papers_empty_band_gives_its_cutoff():
    """J is maximal from 14.3 to 99.6, and the paper takes the higher end."""
    cutoff = youden_cutoff(np.array([3.0, 14.2, 99.6, 100.0]), np.array([0, 0, 1, 1], bool))

    assert (cutoff.low, cutoff.high, cutoff.youden_j) == (14.3, 99.6, 1.0)


def test_one_view_alone_has_no_cutoff():
    with pytest.raises(ValueError, match="at least one frontal and one lateral"):
        youden_cutoff(np.array([1.0, 99.0]), np.array([True, True]))


@given(lateral=st.lists(tenths, min_size=1), frontal=st.lists(tenths, min_size=1))
def test_no_cutoff_of_scikit_learn_beats_ours(lateral, frontal):
    from sklearn.metrics import roc_curve

    pfi = np.array(lateral + frontal)
    truth = np.array([False] * len(lateral) + [True] * len(frontal))
    fpr, tpr, _ = roc_curve(truth, pfi)

    assert youden_cutoff(pfi, truth).youden_j == pytest.approx((tpr - fpr).max())


@given(lateral=st.lists(tenths, min_size=1), frontal=st.lists(tenths, min_size=1))
def test_every_cutoff_of_the_range_is_as_good_and_the_next_ones_are_not(lateral, frontal):
    pfi = np.array(lateral + frontal)
    truth = np.array([False] * len(lateral) + [True] * len(frontal))
    found = youden_cutoff(pfi, truth)

    def j(cutoff: float) -> float:
        return float((pfi[truth] >= cutoff).mean() - (pfi[~truth] >= cutoff).mean())

    within = CUTOFFS[(found.low <= CUTOFFS) & (found.high >= CUTOFFS)]
    assert all(j(c) == pytest.approx(found.youden_j) for c in within)
    first, last = np.flatnonzero(np.isin(CUTOFFS, [found.low, found.high]))[[0, -1]]
    assert first == 0 or j(CUTOFFS[first - 1]) < found.youden_j
    assert last == 1000 or j(CUTOFFS[last + 1]) < found.youden_j


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(1377, 1377, 99.73, 100.0), (39_748, 39_856, 99.67, 99.78)],
)
def test_the_papers_intervals_are_clopper_and_pearsons(right, total, low, high):
    interval = exact_interval(right, total)

    assert (round(100 * interval.low, 2), round(100 * interval.high, 2)) == (low, high)
