"""The paper's own figures, scikit-learn and scipy hold the arithmetic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.stats import (
    CUTOFFS,
    cohen_kappa,
    exact_interval,
    fit_temperature,
    log_odds,
    patient_bootstrap,
    pooled_chi_squared,
    youden_curve,
    youden_cutoff,
)

tenths = st.integers(0, 1000).map(lambda k: k / 10)


def test_the_papers_empty_band_gives_its_cutoff():
    """J is maximal from 14.3 to 99.6, and the paper takes the higher end."""
    cutoff = youden_cutoff(np.array([3.0, 14.2, 99.6, 100.0]), np.array([0, 0, 1, 1], bool))

    assert (cutoff.low, cutoff.high, cutoff.youden_j) == (14.3, 99.6, 1.0)


def test_one_view_alone_has_no_cutoff():
    with pytest.raises(ValueError, match="at least one frontal and one lateral"):
        youden_cutoff(np.array([1.0, 99.0]), np.array([True, True]))


def test_a_little_less_than_the_largest_j_is_not_equal_to_it():
    """One of 1,914 laterals wrong is better than one of 1,900 frontals, by 0.000004."""
    frontal, lateral = np.full(1900, 80.0), np.full(1914, 10.0)
    frontal[0], lateral[0] = 40.0, 60.0
    pfi = np.concatenate([frontal, lateral])

    found = youden_cutoff(pfi, np.arange(len(pfi)) < len(frontal))

    assert (found.low, found.high) == (10.1, 40.0)
    assert found.youden_j == pytest.approx(1 - 1 / 1914, abs=1e-12)


@given(lateral=st.lists(tenths, min_size=1), frontal=st.lists(tenths, min_size=1))
def test_no_cutoff_of_scikit_learn_beats_ours(lateral, frontal):
    from sklearn.metrics import roc_curve

    pfi = np.array(lateral + frontal)
    truth = np.array([False] * len(lateral) + [True] * len(frontal))
    fpr, tpr, _ = roc_curve(truth, pfi)

    assert youden_cutoff(pfi, truth).youden_j == pytest.approx((tpr - fpr).max())


@given(lateral=st.lists(tenths, min_size=1), frontal=st.lists(tenths, min_size=1))
def test_the_curve_of_youdens_j_is_scikit_learns_at_every_cutoff(lateral, frontal):
    from sklearn.metrics import roc_curve

    pfi = np.array(lateral + frontal)
    truth = np.array([False] * len(lateral) + [True] * len(frontal))

    j = youden_curve(pfi, truth)

    fpr, tpr, thresholds = roc_curve(truth, pfi, drop_intermediate=False)
    at = np.searchsorted(-thresholds, -CUTOFFS, side="right") - 1  # the lowest one not below
    assert j == pytest.approx((tpr - fpr)[at])


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


def test_the_papers_counts_give_its_chi_squared():
    """113,829 of 119,568 against 1,054 of 1,128: 7.56 without and 7.18 with correction."""
    found = pooled_chi_squared((113_829, 119_568), (1_054, 1_128))

    assert (round(found.statistic, 2), round(found.corrected_statistic, 2)) == (7.56, 7.18)
    assert (round(found.p, 3), round(found.corrected_p, 3)) == (0.006, 0.007)


counts = st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(first=counts, second=counts)
def test_chi_squared_is_the_formula_of_the_textbook(first, second):
    """n (ad - bc)^2 over the product of the margins; Yates takes n/2 off |ad - bc|."""
    a, b = first[0], first[1] - first[0]
    c, d = second[0], second[1] - second[0]
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if margins == 0:
        with pytest.raises(ValueError):
            pooled_chi_squared(first, second)
        return
    n = a + b + c + d

    found = pooled_chi_squared(first, second)

    assert found.statistic == pytest.approx(n * (a * d - b * c) ** 2 / margins, abs=1e-9)
    less = max(abs(a * d - b * c) - n / 2, 0)
    assert found.corrected_statistic == pytest.approx(n * less**2 / margins, abs=1e-9)


def test_the_bootstrap_agrees_with_scipys_where_every_patient_has_one_image():
    from scipy.stats import bootstrap

    values = np.array([1.0] * 180 + [0.0] * 20)
    patients = np.arange(200).astype(str)

    ours = patient_bootstrap(values, patients, seed=1, rounds=4000)

    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=2)
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.01)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.01)


def test_many_images_of_one_patient_do_not_narrow_the_interval():
    values = np.array([1.0] * 18 + [0.0] * 2)
    patients = np.arange(20).astype(str)

    once = patient_bootstrap(values, patients, seed=0)
    hundredfold = patient_bootstrap(np.repeat(values, 100), np.repeat(patients, 100), seed=0)

    assert (once.low, once.high) == pytest.approx((hundredfold.low, hundredfold.high))


def test_a_bootstrap_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        patient_bootstrap(np.array([]), np.array([], str), seed=0)


def test_a_temperature_undoes_what_made_a_classifier_too_sure():
    """PFI that mean what they say, their logits times three: a temperature of 3 is found."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 40_000)
    is_frontal = rng.random(len(logits)) < 1 / (1 + np.exp(-logits))

    found = fit_temperature(100 / (1 + np.exp(-3 * logits)), is_frontal)

    assert found == pytest.approx(3, rel=0.05)


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), min_size=1, max_size=30))
def test_no_temperature_is_more_likely_than_the_one_found(drawn):
    pfi, is_frontal = (np.array(values) for values in zip(*drawn, strict=True))
    logits = log_odds(pfi)
    frontal, lateral = is_frontal.sum(), (~is_frontal).sum()
    truth = np.where(is_frontal, (frontal + 1) / (frontal + 2), 1 / (lateral + 2))

    def loss(temperature):
        cooled = logits / temperature
        return (truth * np.logaddexp(0, -cooled) + (1 - truth) * np.logaddexp(0, cooled)).mean()

    found = fit_temperature(pfi, is_frontal)
    assert 0.1 <= found <= 10
    assert loss(found) <= min(loss(t) for t in np.geomspace(0.1, 10, 60)) + 1e-4


def test_a_classifier_that_is_always_right_is_not_told_to_be_ever_more_sure():
    is_frontal = np.arange(1000) < 500
    pfi = np.where(is_frontal, 99.0, 1.0)

    found = fit_temperature(pfi, is_frontal)

    surest = 100 / (1 + np.exp(-log_odds(np.array([99.0]))[0] / found))
    assert surest == pytest.approx(100 * 501 / 502, abs=0.01)


def test_a_temperature_of_nothing_is_refused():
    with pytest.raises(ValueError, match="0 images"):
        fit_temperature(np.empty(0), np.empty(0, bool))


@given(st.floats(0, 100))
def test_log_odds_are_held_at_both_ends(percent):
    found = log_odds(np.array([percent]))[0]

    assert abs(found) < 17.0001
    if 0.001 < percent < 99.999:
        assert 100 / (1 + np.exp(-found)) == pytest.approx(percent)


def test_images_of_unknown_patients_are_drawn_each_by_itself():
    values = np.array([0.0, 1, 1, 0, 1, 0])
    unknown, each = np.array(["", "", "", "", "a", "a"]), np.array(["1", "2", "3", "4", "5", "5"])

    found = patient_bootstrap(values, unknown, seed=0)

    assert found.high - found.low > 0.3
    assert patient_bootstrap(values, each, seed=0).low == pytest.approx(found.low, abs=0.1)


PAPERS_LABELS = ("frontal", "lateral", "excluded")


def test_kappa_counts_what_two_readers_said():
    first = ["frontal", "frontal", "lateral", "excluded", "lateral"]
    second = ["frontal", "lateral", "lateral", "excluded", "oblique"]

    found = cohen_kappa(first, second, labels=PAPERS_LABELS)

    assert (found.images, found.agreed) == (5, 3)
    assert found.labels == (*PAPERS_LABELS, "oblique")
    assert found.table == ((1, 1, 0, 0), (0, 1, 0, 1), (0, 0, 1, 0), (0, 0, 0, 0))


@pytest.mark.parametrize("said", [["frontal"], ["lateral"] * 50])
def test_kappa_of_two_who_always_say_one_and_the_same_is_undefined(said):
    found = cohen_kappa(said, said, labels=PAPERS_LABELS)

    assert (found.kappa, found.low, found.high) == (None, None, None)
    assert found.agreed == found.images == len(said)


@pytest.mark.parametrize(("first", "second"), [([], []), (["frontal"], [])])
def test_kappa_of_no_or_of_unequal_images_is_refused(first, second):
    with pytest.raises(ValueError, match="the same images"):
        cohen_kappa(first, second)


readings = st.lists(
    st.tuples(st.sampled_from(PAPERS_LABELS), st.sampled_from(PAPERS_LABELS)), min_size=1
)


@given(pairs=readings)
def test_kappa_is_scikit_learns_and_its_interval_holds_it_and_stays_inside(pairs):
    from sklearn.metrics import cohen_kappa_score

    first, second = ([pair[n] for pair in pairs] for n in (0, 1))
    found = cohen_kappa(first, second, labels=PAPERS_LABELS, draws=1000)
    if found.kappa is None:
        assert len(set(first + second)) == 1
        return

    assert found.kappa == pytest.approx(cohen_kappa_score(first, second, labels=PAPERS_LABELS))
    assert -1 <= found.low <= found.kappa <= found.high <= 1
    assert found.low < found.high


def said_by_two(table: np.ndarray) -> tuple[list[str], list[str]]:
    """Readings of two that come to a table of counts."""
    pairs = [
        (f"label {row}", f"label {column}")
        for (row, column), count in np.ndenumerate(table)
        for _ in range(count)
    ]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


@pytest.mark.parametrize(
    "table",
    [
        [[900, 120], [80, 700]],
        [[300, 40, 9], [60, 280, 12], [5, 20, 90]],
        [[500, 9000], [8000, 600]],
    ],
)
def test_of_many_images_kappas_interval_is_that_of_its_large_sample_error(table):
    from statsmodels.stats.inter_rater import cohens_kappa

    found = cohen_kappa(*said_by_two(np.array(table)))

    theirs = cohens_kappa(np.array(table))
    assert found.kappa == pytest.approx(theirs.kappa)
    assert found.low == pytest.approx(theirs.kappa_low, abs=0.1 * theirs.std_kappa + 0.002)
    assert found.high == pytest.approx(theirs.kappa_upp, abs=0.1 * theirs.std_kappa + 0.002)


def test_two_who_agree_on_all_of_few_images_may_agree_on_less():
    """The share that they agree on is at least 79.4 % of 16 by Clopper and Pearson; half of all
    is chance, so that kappa is at least 0.588 by that share alone."""
    few = cohen_kappa(*said_by_two(np.diag([8, 8])))
    many = cohen_kappa(*said_by_two(np.diag([800, 800])))

    assert (few.kappa, few.high, many.kappa, many.high) == (1, 1, 1, 1)
    assert few.low == pytest.approx(2 * 0.794 - 1, abs=0.02)
    assert 0.99 < many.low < 1


def test_kappa_of_one_image_seen_differently_says_nothing():
    found = cohen_kappa(["frontal"], ["lateral"])

    assert found.kappa == 0
    assert found.low < -0.9
    assert found.high > 0.8


def test_kappa_of_no_agreement_beyond_chance_is_0_without_a_sign():
    found = cohen_kappa(["frontal"] * 15 + ["lateral"], ["frontal"] * 16)

    assert str(found.kappa) == "0.0"
    assert found.low < 0 < found.high


def test_kappas_interval_is_the_same_by_the_same_seed():
    said = said_by_two(np.array([[10, 2], [3, 9]]))

    one, again, other = (cohen_kappa(*said, seed=seed) for seed in (5, 5, 6))

    assert (one.low, one.high) == (again.low, again.high)
    assert (one.low, one.high) != (other.low, other.high)
    assert other.low == pytest.approx(one.low, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("images", [15, 200])
@pytest.mark.parametrize("kappa", [0.0, 0.4, 0.95])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.2), (0.95, 0.05), (0.55, 0.4, 0.05)])
def test_kappas_interval_holds_the_truth_as_often_as_it_says(shares, kappa, images):
    """400 studies of two readers whose kappa is known; 95 % of 400 less three standard errors."""
    share = np.array(shares)
    cells = kappa * np.diag(share) + (1 - kappa) * np.outer(share, share)
    rng = np.random.default_rng(1)
    held = defined = 0
    for _ in range(400):
        table = rng.multinomial(images, cells.ravel()).reshape(cells.shape)
        found = cohen_kappa(*said_by_two(table), draws=2000)
        if found.kappa is not None:
            defined += 1
            held += found.low <= kappa <= found.high

    assert held / defined > 0.95 - 3 * (0.95 * 0.05 / defined) ** 0.5
