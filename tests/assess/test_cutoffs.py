"""The review band: as wide as coverage allows, and no wider."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cxrview.assess.cutoffs import COVERAGE, WIDEST_BAND, widest_review_band


def band_of(pfi, groups=None, cutoff=50.0):
    names = np.full(len(pfi), "one") if groups is None else np.array(groups)
    return widest_review_band(np.array(pfi), names, cutoff)


def test_99_percent_of_every_group_stay_decided():
    low, high = band_of([0.1] * 150 + [99.9] * 149 + [30.0])

    assert (low, high) == (5.0, 95.0)  # one image of 300 may lie within


def test_it_narrows_where_too_many_images_would_lie_within():
    pfi = [0.1] * 100 + [99.9] * 96 + [10.0, 20.0, 60.0, 90.0]

    low, high = band_of(pfi)

    assert len([p for p in pfi if low <= p <= high]) <= 2
    assert low < 50 < high


def test_a_small_group_is_not_lost_in_a_large_one():
    low, high = band_of([0.1] * 1000 + [90.0] * 2, ["large"] * 1000 + ["small"] * 2)

    assert low < 50 < high < 90


@given(
    st.lists(st.tuples(st.floats(0, 100), st.sampled_from("ab")), min_size=1, max_size=200),
    st.floats(0, 100).map(lambda cutoff: round(cutoff, 3)),
)
def test_it_holds_the_cutoff_and_keeps_its_word(drawn, cutoff):
    pfi, groups = (np.array(values) for values in zip(*drawn, strict=True))

    low, high = band_of(pfi, groups, cutoff)

    assert low <= cutoff <= high
    assert low >= min(WIDEST_BAND[0], cutoff)
    assert high <= max(WIDEST_BAND[1], cutoff)
    if (low, high) != (cutoff, cutoff):
        is_decided = (pfi < low) | (pfi > high)
        assert all(is_decided[groups == group].mean() >= COVERAGE for group in set(groups))
