"""How far from the cutoff a model must be to be taken at its word."""

import numpy as np
from numpy.typing import NDArray

from cxrview.stats import log_odds

COVERAGE = 0.99
"""Share of each group's images that must be decided and not sent to review."""
WIDEST_BAND = (5.0, 95.0)
"""Beyond these a model that says so is taken at its word, whatever coverage would allow."""


def widest_review_band(
    pfi: NDArray[np.float64], groups: NDArray[np.str_], cutoff: float
) -> tuple[float, float]:
    """Find the widest band about the cutoff that still decides COVERAGE of each group's images.

    Args:
        pfi: shape (n,), of validation images, percent.
        groups: shape (n,), such as the source of each.
        cutoff: percent.

    Returns:
        Lowest and highest PFI, ends included, at the same distance from the cutoff in log-odds, and
        never outside WIDEST_BAND.
    """
    centre = float(log_odds(np.clip(np.array(cutoff), 0.1, 99.9)))
    low_end, high_end = (float(log_odds(np.array(end))) for end in WIDEST_BAND)
    for reach in np.linspace(high_end - low_end, 0, 200):
        low = max(_percent(centre - reach), WIDEST_BAND[0])
        high = min(_percent(centre + reach), WIDEST_BAND[1])
        low, high = round(min(low, cutoff), 3), round(max(high, cutoff), 3)
        is_decided = (pfi < low) | (pfi > high)
        if all(is_decided[groups == group].mean() >= COVERAGE for group in set(groups)):
            return low, high
    return cutoff, cutoff


def _percent(log_odds_: float) -> float:
    return float(100 / (1 + np.exp(-log_odds_)))
