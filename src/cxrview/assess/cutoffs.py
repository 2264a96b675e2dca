"""Cutoffs and review band of a model, chosen on validation patients."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.review_band import widest_review_band
from cxrview.records import ModelCard, Scores
from cxrview.stats import youden_cutoff

MOST_REFUSED = 0.002
"""Share of validation radiographs that may be called no chest."""


def with_cutoffs(
    card: ModelCard,
    validation: Scores,
    left_out: Scores | None,
    others: NDArray[np.float64] | None,
) -> ModelCard:
    """Set cutoffs and band anew, by the answers of the very weights that the card is of.

    Args:
        card: keeps all else, but for a card of int8, which was of the earlier ones.
        validation: what these weights say of validation radiographs in all orientations; facts:
            `source`.
        left_out: what models of the same recipe said of sources that they had not seen; none of
            test patients.
        others: `chest` of validation pictures that show none, shape (m,), percent.
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
        about={**card.about, "cutoff_range": [best.low, best.high]},
        int8=None,
    )


def _chest_cutoff(validation: Scores, others: NDArray[np.float64]) -> float:
    chest = validation.chest
    assert chest is not None
    both = np.concatenate([chest, others])
    best = youden_cutoff(both, np.arange(len(both)) < len(chest))
    allowed = [
        np.quantile(of, MOST_REFUSED, method="lower")
        for of in (chest, chest[validation.is_progenitor])
    ]
    # Rounded down, so that the last one allowed is not refused after all.
    return float(np.floor(1000 * min((best.low + best.high) / 2, *allowed)) / 1000)
