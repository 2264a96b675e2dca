"""The interval of a share in an archive that was sampled by strata."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.stats import weighted_interval

strata = st.lists(
    st.integers(1, 300).flatmap(
        lambda n: st.tuples(st.integers(0, n), st.just(n), st.floats(0.1, 1000))
    ),
    min_size=2,
    max_size=6,
)


@given(hit=st.integers(0, 50), more=st.integers(0, 300))
def test_of_one_stratum_it_is_statsmodels_exact_interval(hit, more):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    if not hit + more:
        return
    found = weighted_interval([hit], [hit + more], [17.0])

    low, high = proportion.proportion_confint(hit, hit + more, method="beta")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)


def test_of_many_images_it_is_the_textbooks_normal_interval():
    """Cochran, Sampling Techniques, 1977, section 5.10: variance sum of W^2 p (1 - p) / n."""
    hits, images, weights = np.array([3000, 9000]), np.array([10_000, 20_000]), np.array([0.8, 0.2])
    p = hits / images
    error = np.sqrt((weights**2 * p * (1 - p) / images).sum())
    found = weighted_interval(hits.tolist(), images.tolist(), weights.tolist())

    middle = (weights * p).sum()
    assert (found.low, found.high) == pytest.approx(
        (middle - 1.96 * error, middle + 1.96 * error), abs=0.1 * error
    )


@given(strata=strata)
def test_it_holds_the_estimate(strata):
    hits, images, weights = zip(*strata, strict=True)
    share = np.average([h / n for h, n, _ in strata], weights=weights)

    found = weighted_interval(hits, images, weights, draws=2000)

    assert 0 <= found.low <= share + 1e-12
    assert share - 1e-12 <= found.high <= 1


@pytest.mark.parametrize(
    ("truth", "weights"),
    [
        ((0.003, 0.1, 0.3), (0.95, 0.04, 0.01)),
        ((0.0, 0.2, 0.02), (0.9, 0.05, 0.05)),
        ((0.02, 0.0, 0.4), (0.6, 0.3, 0.1)),
    ],
)
def test_it_holds_the_truth_at_least_as_often_as_it_says(truth, weights):
    """400 studies drawn from a known archive; 95 % of 400 less three standard errors is 367."""
    rng = np.random.default_rng(1)
    images = np.array([250, 60, 40])
    known = float(np.dot(truth, weights))
    held = 0
    for hits in rng.binomial(images, truth, (400, 3)):
        found = weighted_interval(hits.tolist(), images.tolist(), weights, draws=4000)
        held += found.low <= known <= found.high

    assert held >= 367


def test_a_heavy_stratum_without_a_hit_still_counts():
    """An interval by the sample's variance would be as narrow as the light stratum makes it."""
    found = weighted_interval([0, 5], [20, 50], [99, 1])

    assert found.low == pytest.approx(0.01 * 0.0333, rel=0.05)
    assert found.high > 0.99 * 0.13


def test_the_seed_moves_it_little():
    one, other = (weighted_interval([2, 7], [300, 80], [9, 1], seed=seed) for seed in (0, 1))

    assert one != other
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=0.03)


@pytest.mark.parametrize(
    ("hits", "images", "weights"),
    [([], [], []), ([1], [0], [1.0]), ([2], [1], [1.0]), ([0, 0], [5, 5], [1.0, 0.0])],
)
def test_what_is_no_stratum_is_refused(hits, images, weights):
    with pytest.raises(ValueError, match="a stratum has images"):
        weighted_interval(hits, images, weights)
