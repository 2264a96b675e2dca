"""Choose the cutoffs and the review band of a model, on validation patients."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores
from cxrview.stats import log_odds, youden_cutoff

MAX_REFUSED = 0.002
"""Largest share of validation radiographs that may be refused as not a chest."""
COVERAGE = 0.99
"""Minimum share of the images of each group that are decided, not sent to review."""
WIDEST_BAND = (5.0, 95.0)
"""Percent; the band never extends beyond these, even if COVERAGE would allow it."""


def with_cutoffs(
    card: ModelCard,
    validation: Scores,
    left_out: Scores | None,
    others: NDArray[np.float64] | None,
) -> ModelCard:
    """Set the cutoffs and the review band of a card by the output of the model.

    Args:
        card: all other fields are kept, except the int8 card, which belongs to earlier cutoffs.
        validation: PFI of validation radiographs in all orientations; with the fact `source`.
        left_out: PFI by models of the same recipe for sources that they were not trained on,
        without test patients.
        others: `chest` of validation images without a chest, shape (m,), percent.
    """
    best = youden_cutoff(validation.pfi, validation.is_frontal)
    middle = round((best.low + best.high) / 2, 3)
    judged = [validation] if left_out is None else [validation, left_out]
    groups = [np.char.add(f"{n} ", one.facts["source"]) for n, one in enumerate(judged)]
    return dataclasses.replace(
        card,
        cutoff=middle,
        paper_cutoff=best.high,
        review_band=widest_review_band(
            np.concatenate([one.pfi for one in judged]), np.concatenate(groups), middle
        ),
        chest_cutoff=None
        if others is None or validation.chest is None
        else _chest_cutoff(validation, others),
        about=dataclasses.replace(card.about, cutoff_range=(best.low, best.high)),
        int8=None,
    )


def _chest_cutoff(validation: Scores, others: NDArray[np.float64]) -> float:
    chest = validation.chest
    assert chest is not None
    both = np.concatenate([chest, others])
    best = youden_cutoff(both, np.arange(len(both)) < len(chest))
    allowed = [
        np.quantile(of, MAX_REFUSED, method="lower")
        for of in (chest, chest[validation.is_progenitor])
    ]
    # Rounded down, so that no image is refused by rounding.
    return float(np.floor(1000 * min((best.low + best.high) / 2, *allowed)) / 1000)


def widest_review_band(
    pfi: NDArray[np.float64], groups: NDArray[np.str_], cutoff: float
) -> tuple[float, float]:
    """Find the widest band around the cutoff in which at least COVERAGE of every group is decided.

    Args:
        pfi: shape (n,), of validation images, percent.
        groups: shape (n,), such as the source of each.
        cutoff: percent.

    Returns:
        Lowest and highest PFI, percent, ends included, at the same distance from the cutoff in
        log-odds, and never outside WIDEST_BAND.
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
