"""Thresholds outside of which a model is wrong at most so often, with a stated confidence.

Learn then Test: the error among decided images is tested at one threshold after another. The
candidates and their order are fixed before the labels are looked at.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrview.records.risk_curve import Head, RiskCurve, Threshold

CONFIDENCE = 0.95
"""Default probability, over samples of calibration images, that a promise holds."""
STRICTEST = 98.0
"""Percent: the first of `usual_thresholds`."""
CANDIDATES = 40
"""Number of thresholds that are tried at most."""


def controlled_threshold(
    curve: RiskCurve, max_error: float, confidence: float = CONFIDENCE
) -> Threshold | None:
    """Find the loosest threshold at which at most `max_error` of the decided images are wrong.

    Thresholds are tested from the strictest to the loosest, and the first that is not shown to keep
    the error at or below `max_error` ends the search (fixed-sequence testing). So the probability
    that the promise does not hold is at most 1 - confidence in all and not at each test, whatever
    the probabilities of the model are worth.

    Args:
        curve: of independent images: one of each patient, which neither trained the model nor set
            its temperature, and drawn at random from where the promise is to hold.
        max_error: share of errors among decided images, above 0 and below 1.
        confidence: probability, over such samples, that the promise holds; above 0 and below 1.

    Returns:
        None where not even the strictest threshold can be shown to keep the promise. Without an
        error that takes `images_needed`.

    Raises:
        ValueError: a share is out of range.

    Source:
        Angelopoulos et al., Learn then Test, arXiv:2110.01052, 2021 (fixed-sequence testing). The
        p-value is the exact binomial tail: given how many images are decided, their errors are
        independent and have one probability.
    """
    _check_shares(max_error, confidence)
    found = None
    for percent, decided, errors in zip(curve.thresholds, curve.decided, curve.errors, strict=True):
        if binomial_cdf(errors, decided, max_error) > 1 - confidence:
            break
        found = Threshold(percent=percent, decided=decided, errors=errors)
    return found


def thresholds_of(
    curves: Mapping[Head, RiskCurve], max_error: float, confidence: float = CONFIDENCE
) -> dict[Head, float | None]:
    """Find the threshold of each head, percent; None where it decides nothing.

    The promise is one for each head, not for all of them together.

    Args, Raises: as `controlled_threshold`.
    """
    found = {head: controlled_threshold(one, max_error, confidence) for head, one in curves.items()}
    return {head: None if one is None else one.percent for head, one in found.items()}


def least_error(curve: RiskCurve, confidence: float = CONFIDENCE) -> float:
    """Find the smallest `max_error` for which `controlled_threshold` finds a threshold.

    It depends on the strictest threshold alone, which is tested first.

    Args:
        curve: as for `controlled_threshold`.
        confidence: as for `controlled_threshold`.

    Returns:
        A share, rounded up to five digits after the point; 1 where every decided image is wrong or
        none is decided.

    Raises:
        ValueError: the confidence is out of range.
    """
    _check_shares(0.5, confidence)
    decided, errors = curve.decided[0], curve.errors[0]
    if errors == decided:
        return 1.0
    steps = 100_000
    low, high = 0, steps  # not shown at `low`, shown at `high`
    while high - low > 1:
        middle = (low + high) // 2
        is_shown = binomial_cdf(errors, decided, middle / steps) <= 1 - confidence
        low, high = (low, middle) if is_shown else (middle, high)
    return high / steps


def images_needed(max_error: float, confidence: float = CONFIDENCE) -> int:
    """Compute how many decided images without an error show a promise: 2,995 for 0.001 at 95 %.

    Raises:
        ValueError: a share is out of range.
    """
    _check_shares(max_error, confidence)
    # log(0.1 ** 2) / log(0.1) may be a little above 2.
    return max(1, math.ceil(math.log(1 - confidence) / math.log1p(-max_error) - 1e-9))


def count_risk(
    percent: NDArray[np.float64], is_wrong: NDArray[np.bool_], thresholds: tuple[float, ...]
) -> RiskCurve:
    """Count decided images and errors at each threshold.

    Args:
        percent: shape (n,), probability of the answer that was given; 0 for an image without an
            answer. One image of each patient.
        is_wrong: shape (n,), whether that answer is wrong.
        thresholds: percent, 50 to 100, from the strictest to the loosest; chosen without knowing
            `is_wrong`.
    """
    every, wrong = np.sort(percent), np.sort(percent[is_wrong])
    return RiskCurve(
        thresholds=thresholds,
        decided=_counts_above(every, thresholds),
        errors=_counts_above(wrong, thresholds),
    )


def add_curves(curves: Sequence[RiskCurve]) -> RiskCurve:
    """Add the counts of images that have the same thresholds.

    Args:
        curves: at least one.
    """
    return RiskCurve(
        thresholds=curves[0].thresholds,
        decided=tuple(map(sum, zip(*(one.decided for one in curves), strict=True))),
        errors=tuple(map(sum, zip(*(one.errors for one in curves), strict=True))),
    )


def usual_thresholds(loosest: float = 50.0) -> tuple[float, ...]:
    """Return candidates for any archive, from `STRICTEST` down at equal steps of log-odds.

    Args:
        loosest: percent, 50 to 100, the last candidate.
    """
    if loosest >= STRICTEST:
        return (loosest,)
    high, low = (math.log(end / (100 - end)) for end in (STRICTEST, loosest))
    steps = (100 / (1 + math.exp(-at)) for at in np.linspace(high, low, CANDIDATES))
    inner = {round(step, 3) for step in steps}
    return (*sorted((step for step in inner if step > loosest), reverse=True), loosest)


def _counts_above(ordered: NDArray[np.float64], thresholds: tuple[float, ...]) -> tuple[int, ...]:
    first = np.searchsorted(ordered, thresholds, side="right")
    return tuple((len(ordered) - first).tolist())


def _check_shares(max_error: float, confidence: float) -> None:
    if not 0 < max_error < 1 or not 0 < confidence < 1:
        raise ValueError("max_error and confidence are above 0 and below 1")


def binomial_cdf(hits: int, images: int, share: float) -> float:
    """Compute the probability of at most so many hits among independent images.

    It is exact to 1e-12 and needs no scipy, which the default install lacks.

    Args:
        hits: 0 to `images`.
        images: at least 0.
        share: probability of a hit, above 0 and below 1.

    Raises:
        ValueError: a number is out of range.

    Source:
        Loader, Fast and Accurate Computation of Binomial Probabilities, 2000, for one term (the
        logarithm of a factorial is too inexact for many images); its neighbours by their ratios.
    """
    if not 0 <= hits <= images or not 0 < share < 1:
        raise ValueError(f"{hits} of {images} at a share of {share} is not a binomial count")
    if hits == images:
        return 1.0
    odds = share / (1 - share)
    is_lower = hits < images * share  # sum the smaller tail
    at = hits if is_lower else hits + 1
    term = _binomial_term(at, images, share)
    total, least = term, 0 if is_lower else images
    while at != least and term > 1e-17 * total:
        if is_lower:
            term *= at / ((images - at + 1) * odds)
            at -= 1
        else:
            term *= (images - at) * odds / (at + 1)
            at += 1
        total += term
    return min(total, 1.0) if is_lower else max(0.0, 1 - total)


def _binomial_term(hits: int, images: int, share: float) -> float:
    if hits in (0, images):
        return math.exp(images * (math.log(share) if hits else math.log1p(-share)))
    misses = images - hits
    log_term = _stirling_error(images) - _stirling_error(hits) - _stirling_error(misses)
    log_term -= _deviance(hits, images * share) + _deviance(misses, images * (1 - share))
    return math.exp(log_term) * math.sqrt(images / (2 * math.pi * hits * misses))


def _stirling_error(n: int) -> float:
    """The logarithm of n! less that of Stirling's formula."""
    if n <= 15:
        return math.lgamma(n + 1) - (n + 0.5) * math.log(n) + n - 0.5 * math.log(2 * math.pi)
    return (1 / 12 - (1 / 360 - (1 / 1260 - 1 / 1680 / n**2) / n**2) / n**2) / n


def _deviance(count: int, expected: float) -> float:
    """count * log(count / expected) + expected - count, by its series where the two are close."""
    apart, together = count - expected, count + expected
    if abs(apart) >= 0.1 * together:
        return count * math.log(count / expected) - apart
    ratio = apart / together
    total, power = apart * ratio, 2 * count * ratio
    for odd in range(3, 41, 2):
        power *= ratio * ratio
        total += power / odd
    return total
