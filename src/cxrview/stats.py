"""The study's arithmetic: the cutoff by Youden's J and exact intervals. Pure functions."""

import numpy as np
from numpy.typing import NDArray

from cxrview.records import Cutoff, Interval

# Tenths are exact when divided last: np.arange(0, 100.1, 0.1) misses 99.6.
CUTOFFS = np.arange(1001) / 10


def youden_cutoff(pfi: NDArray[np.float64], is_frontal: NDArray[np.bool_]) -> Cutoff:
    """Find the range of cutoffs with the largest Youden's J; of several, the highest.

    Args:
        pfi: shape (n,), probability of frontal in percent, 0 to 100.
        is_frontal: shape (n,), the truth after adjudication.

    Raises:
        ValueError: if either view is missing, since J is then undefined.

    Source:
        Paper, section 6. Steps of 0.1 %, frontal where PFI >= cutoff; the paper takes
        the higher end of the range.
    """
    if is_frontal.all() or not is_frontal.any():
        raise ValueError("Youden's J needs at least one frontal and one lateral image")
    sensitivity = _share_at_or_above_each_cutoff(pfi[is_frontal])
    j = sensitivity - _share_at_or_above_each_cutoff(pfi[~is_frontal])
    is_best = np.isclose(j, j.max())
    high = int(np.flatnonzero(is_best)[-1])
    gaps = np.flatnonzero(~is_best[:high])
    low = int(gaps[-1]) + 1 if gaps.size else 0
    return Cutoff(low=float(CUTOFFS[low]), high=float(CUTOFFS[high]), youden_j=float(j[high]))


def _share_at_or_above_each_cutoff(pfi: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (1001,); sorted search, since (n, 1001) would be gigabytes for an archive."""
    below: NDArray[np.float64] = np.searchsorted(np.sort(pfi), CUTOFFS, side="left") / len(pfi)
    return 1 - below


def exact_interval(right: int, total: int, *, confidence: float = 0.95) -> Interval:
    """Clopper-Pearson interval of a proportion.

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
