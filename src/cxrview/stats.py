"""Statistics: Youden's J, calibration, exact and bootstrap intervals, tests, kappa."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cxrview.records.annotation import Kappa
from cxrview.records.evaluation import ChiSquared, Interval
from cxrview.records.model_card import Cutoff
from cxrview.wording import plural

# Tenths are exact when divided last: np.arange(0, 100.1, 0.1) misses 99.6.
CUTOFFS = np.arange(1001) / 10


def youden_cutoff(pfi: NDArray[np.float64], is_frontal: NDArray[np.bool_]) -> Cutoff:
    """Find the range of cutoffs with the largest Youden's J; the highest of several ranges.

    Args:
        pfi: shape (n,), probability of frontal in percent, 0 to 100.
        is_frontal: shape (n,), the truth after adjudication.

    Raises:
        ValueError: if either view is missing, since J is then undefined.

    Source:
        Paper, section 6. Steps of 0.1 %, frontal where PFI >= cutoff; the paper's cutoff is the
        higher end of the range.
    """
    j = youden_curve(pfi, is_frontal)
    # J of other counts differs by 1 / (frontal * lateral) at least, J of equal ones by rounding.
    is_best = np.isclose(j, j.max(), rtol=0, atol=1e-14)
    high = int(np.flatnonzero(is_best)[-1])
    gaps = np.flatnonzero(~is_best[:high])
    low = int(gaps[-1]) + 1 if gaps.size else 0
    return Cutoff(low=float(CUTOFFS[low]), high=float(CUTOFFS[high]), youden_j=float(j[high]))


def youden_curve(pfi: NDArray[np.float64], is_frontal: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Compute Youden's J, sensitivity + specificity - 1, at each of CUTOFFS.

    Args:
        pfi: shape (n,), probability of frontal in percent, 0 to 100.
        is_frontal: shape (n,), the truth after adjudication.

    Returns:
        Shape (1001,), -1 to 1.

    Raises:
        ValueError: if either view is missing, since J is then undefined.

    Source:
        Paper, section 6 and Fig 5. Frontal where PFI >= cutoff.
    """
    if is_frontal.all() or not is_frontal.any():
        raise ValueError("Youden's J needs at least one frontal and one lateral image")
    sensitivity = _share_at_or_above_each_cutoff(pfi[is_frontal])
    return sensitivity - _share_at_or_above_each_cutoff(pfi[~is_frontal])


def _share_at_or_above_each_cutoff(pfi: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (1001,); by sorted search, since (n, 1001) would be gigabytes for an archive."""
    below: NDArray[np.float64] = np.searchsorted(np.sort(pfi), CUTOFFS, side="left") / len(pfi)
    return 1 - below


def fit_temperature(pfi: NDArray[np.float64], is_frontal: NDArray[np.bool_]) -> float:
    """Find the temperature that a classifier's logits are divided by to calibrate its PFI.

    The target of n images of a view is (n + 1) / (n + 2) and not 1, since otherwise a classifier
    that is right on all of them would get an ever lower temperature.

    Args:
        pfi: shape (n,), probability of frontal in percent, 0 to 100.
        is_frontal: shape (n,), the truth.

    Returns:
        0.1 to 10; above 1 for an overconfident classifier.

    Raises:
        ValueError: the arrays are empty or differ in length.

    Source:
        Guo et al., On Calibration of Modern Neural Networks, ICML 2017; the targets as in Platt,
        Probabilistic Outputs for Support Vector Machines, 1999.
    """
    from scipy.optimize import minimize_scalar

    if not len(pfi) or pfi.shape != is_frontal.shape:
        raise ValueError(
            f"{plural(len(pfi), 'image has', 'images have')} {plural(len(is_frontal), 'truth')}"
        )
    # Signed distance of each logit from 0; single precision has no PFI beyond 17.
    margins = np.where(is_frontal, 1, -1) * log_odds(pfi)
    frontal = int(is_frontal.sum())
    lateral = len(pfi) - frontal
    wrong = np.where(is_frontal, 1 / (frontal + 2), 1 / (lateral + 2))

    def surprise(log_t: float) -> float:
        cooled = margins / np.exp(log_t)
        right = (1 - wrong) * np.logaddexp(0, -cooled)
        return float((right + wrong * np.logaddexp(0, cooled)).mean())

    found = minimize_scalar(
        surprise,
        bounds=(np.log(0.1), np.log(10)),
        method="bounded",
    )
    return float(np.exp(found.x))


def log_odds(percent: NDArray[np.float64], most: float = 17.0) -> NDArray[np.float64]:
    """Compute log-odds of percentages, of the same shape, clipped to -most and most."""
    end = 100 / (1 + np.exp(most))
    held = np.clip(percent, end, 100 - end)
    return np.asarray(np.log(held / (100 - held)))


def exact_interval(right: int, total: int, *, confidence: float = 0.95) -> Interval:
    """Compute the Clopper-Pearson interval of a proportion.

    Args:
        right: successes, 0 to `total`.
        total: trials, at least 1.
        confidence: 0 to 1.

    Raises:
        ValueError: `total` is 0, or `right` is not within it.

    Source:
        Clopper and Pearson, Biometrika 1934; paper, section 6: 1,377 of 1,377 gives 99.73 %.
    """
    from scipy.stats import binomtest

    found = binomtest(right, total).proportion_ci(confidence, method="exact")
    return Interval(low=float(found.low), high=float(found.high))


def weighted_interval(
    hits: Sequence[int],
    images: Sequence[int],
    weights: Sequence[float],
    *,
    confidence: float = 0.95,
    seed: int = 0,
    draws: int = 100_000,
) -> Interval:
    """Compute the interval of a share in an archive from a stratified sample.

    This is the melded interval: samples from the two beta distributions of each stratum, of which
    the Clopper-Pearson ends are percentiles, are summed by weight. For one stratum it is the
    Clopper-Pearson interval. Its upper end is above 0 even without a hit, and allows for hits in
    a stratum with few images, unlike intervals by the variance of the sample.

    Args:
        hits: of each stratum, 0 to its images.
        images: sampled from each stratum, at least 1.
        weights: each stratum's share of the archive, in any unit; above 0.
        confidence: 0 to 1.
        seed: another seed changes the third digit of the ends.
        draws: samples of each distribution.

    Raises:
        ValueError: no stratum was given, or a number is out of range.

    Source:
        Fay, Proschan and Brittain, Biometrics 2015, for a weighted sum. Strata are assumed to be
        large compared with their samples; otherwise the interval is a little too wide.
    """
    known = list(zip(hits, images, weights, strict=True))
    if not known or not all(0 <= hit <= n and n and w > 0 for hit, n, w in known):
        raise ValueError("a stratum has images, no more hits than these, and a weight")
    if len(known) == 1:
        return exact_interval(hits[0], images[0], confidence=confidence)
    rng = np.random.default_rng(seed)
    low, high = np.zeros(draws), np.zeros(draws)
    for hit, n, weight in known:
        share = weight / sum(weights)
        low += share * (rng.beta(hit, n - hit + 1, draws) if hit else 0)
        high += share * (rng.beta(hit + 1, n - hit, draws) if hit < n else 1)
    tail = (1 - confidence) / 2
    return Interval(low=float(np.quantile(low, tail)), high=float(np.quantile(high, 1 - tail)))


def pooled_chi_squared(first: tuple[int, int], second: tuple[int, int]) -> ChiSquared:
    """Compare two pools of classified images by Pearson's chi-squared test.

    Args:
        first: correct images and all images of one pool.
        second: the same of the other pool.

    Raises:
        ValueError: a pool is empty, has more correct images than images, or neither pool has an
            error (or neither a success), so that there is nothing to compare.

    Source:
        Paper, section 5. Images are treated as independent, as in the paper.
    """
    from scipy.stats import chi2_contingency

    for right, total in (first, second):
        if not 0 <= right <= total or not total:
            raise ValueError(f"{right} of {total} is not a share of a pool")
    table = np.array([[right, total - right] for right, total in (first, second)])
    plain = chi2_contingency(table, correction=False)
    corrected = chi2_contingency(table, correction=True)
    return ChiSquared(
        statistic=float(plain.statistic),
        p=float(plain.pvalue),
        corrected_statistic=float(corrected.statistic),
        corrected_p=float(corrected.pvalue),
    )


def patient_bootstrap(
    values: NDArray[np.float64],
    patients: NDArray[np.str_],
    *,
    seed: int,
    rounds: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """Compute the percentile interval of a mean over images by a bootstrap over patients.

    Images of one patient are similar, so that a bootstrap over images would be too narrow. For the
    difference of two models on the same images pass the differences.

    Args:
        values: shape (n,), one finite number per image: 1 if correct and 0 if wrong, or the
            difference of two such values.
        patients: shape (n,); each image without a patient (empty) counts as a separate patient.
        seed: of the bootstrap samples.
        rounds: bootstrap samples.
        confidence: 0 to 1.

    Raises:
        ValueError: the arrays are empty or differ in length.
    """
    if not len(values) or len(values) != len(patients):
        raise ValueError("a bootstrap needs at least one image, and a patient for each")
    names, of = np.unique(patients, return_inverse=True)
    of = np.where(patients == "", len(names) + np.arange(len(patients)), of)
    _, of = np.unique(of, return_inverse=True)
    sums, counts = np.bincount(of, weights=values), np.bincount(of)
    rng = np.random.default_rng(seed)
    means = np.empty(rounds)
    for round_ in range(
        rounds
    ):  # one by one, since all together would be gigabytes for a large set
        drawn = rng.integers(0, len(counts), len(counts))
        means[round_] = sums[drawn].sum() / counts[drawn].sum()
    tail = 100 * (1 - confidence) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return Interval(low=float(low), high=float(high))


def cohen_kappa(
    first: Sequence[str],
    second: Sequence[str],
    *,
    labels: Sequence[str] = (),
    confidence: float = 0.95,
    seed: int = 0,
    draws: int = 50_000,
) -> Kappa:
    """Compute Cohen's kappa of two readers of the same images.

    The interval is within -1 and 1. Its low end is a percentile of kappa under a Dirichlet
    distribution of the table's cells with one more disagreement, its high end under one with one
    more agreement. So the interval of two readers who always agree is not empty but wider for
    fewer images, and its high end is 1. For many images it is that of the large-sample standard
    error (Fleiss, Cohen and Everitt, Psychol Bull 1969).

    Args:
        first: labels of one reader.
        second: labels of the other reader for the same images, in the same order.
        labels: order of the table; other labels follow by name.
        confidence: 0 to 1.
        seed: another seed changes the third digit of the ends.
        draws: samples of each distribution.

    Raises:
        ValueError: the sequences are empty or differ in length.

    Source:
        Cohen, Educ Psychol Meas 1960. Posterior of kappa: Basu, Banerjee and Sen, Biometrics 2000.
        One added observation for either end: Walley, J R Stat Soc B 1996 (the imprecise
        Dirichlet model), which for a single share is the Clopper-Pearson interval. The added
        image is divided equally among the cells of labels that were used.
    """
    n = len(first)
    if not n or n != len(second):
        raise ValueError(f"kappa compares readings of the same images; got {n} and {len(second)}")
    names = (*labels, *sorted({*first, *second} - set(labels)))
    place = {name: index for index, name in enumerate(names)}
    counts = np.zeros((len(names), len(names)), np.int64)
    np.add.at(counts, ([place[x] for x in first], [place[x] for x in second]), 1)
    agreed, chance = int(np.trace(counts)), int(counts.sum(axis=0) @ counts.sum(axis=1))
    value = low = high = None
    if chance < n * n:  # otherwise both always gave the same label
        value = (n * agreed - chance) / (n * n - chance)
        is_given = (counts.sum(axis=0) + counts.sum(axis=1)) > 0
        given = tuple(map(tuple, counts[np.ix_(is_given, is_given)].tolist()))
        low, high = _kappa_interval(given, (1 - confidence) / 2, seed, draws)
        low, high = min(low, value), max(high, value)
    return Kappa(
        kappa=value,
        low=low,
        high=high,
        images=n,
        agreed=agreed,
        labels=names,
        table=tuple(tuple(row) for row in counts.tolist()),
    )


@lru_cache(maxsize=256)  # a page is loaded more often than its table changes
def _kappa_interval(
    table: tuple[tuple[int, ...], ...], tail: float, seed: int, draws: int
) -> tuple[float, float]:
    """Compute the ends of kappa's interval of a table (labels, labels) of at least two labels."""
    counts = np.array(table)
    is_same = np.eye(len(counts), dtype=bool)
    rng = np.random.default_rng(seed)
    apart = _drawn_kappas(counts + ~is_same / (~is_same).sum(), rng, draws)
    alike = _drawn_kappas(counts + is_same / is_same.sum(), rng, draws)
    return float(np.quantile(apart, tail)), float(np.quantile(alike, 1 - tail))


def _drawn_kappas(
    weights: NDArray[np.float64], rng: np.random.Generator, draws: int
) -> NDArray[np.float64]:
    """Sample tables from a Dirichlet distribution and compute their kappa, shape (draws,)."""
    # Gamma variates, since numpy's dirichlet does not allow weights of 0 (cells that stay empty).
    shares = rng.standard_gamma(weights, (draws, *weights.shape))
    shares /= shares.sum(axis=(1, 2), keepdims=True)
    rows, columns = shares.sum(axis=2), shares.sum(axis=1)
    chance = (rows * columns).sum(axis=1)
    agreed = np.trace(shares, axis1=1, axis2=2)
    # In a sampled table of few images all may be in one cell of agreement: kappa is then 1.
    apart = np.maximum(1 - chance, 1e-12)
    return np.clip(np.where(1 - agreed < 1e-12, 1, (agreed - chance) / apart), -1, 1)
