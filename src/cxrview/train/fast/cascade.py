"""A cascade: the fast model decides where it is sure, and a slower model the rest.

No command uses it yet. It needs no torch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.decide import decide
from cxrview.classify.model import Model
from cxrview.records.classification import Instance, Prediction
from cxrview.records.scores import Answers
from cxrview.stats import log_odds

MOST_SURE = 98.0
"""The widest band that `sure_band` tries is 100 - MOST_SURE to MOST_SURE, percent."""
BANDS = 40
"""Bands that it tries, from the widest to none, at equal steps of log-odds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """Where the fast model decides alone."""

    pfi: tuple[float, float]
    """Percent, ends included: between them the slower model decides."""
    chest: float
    """Percent: below it the slower model decides, also on whether it is a chest radiograph."""

    def __post_init__(self) -> None:
        low, high = self.pfi
        if not 0 <= low <= high <= 100 or not 0 <= self.chest <= 100:
            raise ValueError("the ends of a border are percentages, the lower one first")

    def is_sure(self, answers: Answers) -> NDArray[np.bool_]:
        """Whether the fast model decides each picture, shape (n,).

        Args:
            answers: of the fast model, with `chest`.
        """
        if answers.chest is None:
            raise ValueError("the fast model of a cascade has the output chest")
        low, high = self.pfi
        is_clear = (answers.pfi < low) | (answers.pfi > high)
        return np.asarray(is_clear & (answers.chest >= self.chest))


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadeAnswers:
    """Answers of two models for n pictures."""

    answers: Answers
    """Of the model that decides each picture."""
    is_fast: NDArray[np.bool_]
    """Shape (n,): whether that is the fast model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cascade:
    """Two models and the border between them."""

    fast: Model
    slow: Model
    border: Border
    """The cutoff of the fast model's card lies between the ends of `pfi`."""

    def __post_init__(self) -> None:
        low, high = self.border.pfi
        if not low <= self.fast.card.cutoff <= high:
            raise ValueError("the cutoff of the fast model is not within its border")

    def answer(self, pixels: NDArray[np.uint8]) -> CascadeAnswers:
        """Run the fast model on all pictures, and the slow one where it is not sure.

        Args:
            pixels: shape (n, side, side), uint8, as both models take them.

        Raises:
            ValueError: pixels of another type, range or shape.
            InferenceError: the device that a model runs on failed.
        """
        first = self.fast.answer(pixels)
        is_fast = self.border.is_sure(first)
        pfi, chest = first.pfi.copy(), np.array(first.chest)
        if not is_fast.all():
            second = self.slow.answer(pixels[~is_fast])
            pfi[~is_fast] = second.pfi
            chest[~is_fast] = np.nan if second.chest is None else second.chest
        return CascadeAnswers(answers=Answers(pfi=pfi, chest=chest), is_fast=is_fast)

    def decide(self, instance: Instance, given: CascadeAnswers, number: int) -> Prediction:
        """Decide one picture by the card of the model that decides it, which `model_id` names.

        Args:
            instance: of the picture.
            given: of `answer`.
            number: of the picture in it.
        """
        is_fast = bool(given.is_fast[number])
        pfi, chests = float(given.answers.pfi[number]), given.answers.chest
        chest = None if chests is None or np.isnan(chests[number]) else float(chests[number])
        if not is_fast:
            return decide(instance, pfi, self.slow.card, chest=chest)
        return decide(
            instance,
            pfi,
            self.fast.card,
            chest=chest,
            review_band=self.border.pfi,
            chest_cutoff=self.border.chest,
        )


def sure_band(
    pfi: NDArray[np.float64],
    is_frontal: NDArray[np.bool_],
    *,
    max_error: float,
    confidence: float = 0.95,
) -> tuple[float, float] | None:
    """Find the narrowest band outside of which at most `max_error` of the images are wrong.

    Bands about 50 % are tested from the widest to the narrowest, and the first that is not shown to
    keep the error below `max_error` ends the search, so that one test in all has the confidence
    (fixed-sequence testing). Images must be independent: one of each patient.

    Args:
        pfi: shape (n,), percent, of images that neither trained the model nor set its temperature.
        is_frontal: shape (n,), the truth.
        max_error: share of errors among the images outside of the band, above 0 and below 1.
        confidence: probability, over such sets of images, that the promise holds; 0 to 1.

    Returns:
        Lowest and highest PFI of the band, percent; None where not even the widest band can be
        shown to keep the promise. Without an error that takes log(1 - confidence) /
        log(1 - max_error) images: 2,995 for 0.001 at 95 %.

    Raises:
        ValueError: a share out of range.

    Source:
        Angelopoulos et al., Learn then Test, arXiv:2110.01052, 2021; the p-value is the exact
        binomial tail.
    """
    from scipy.stats import binom

    if not 0 < max_error < 1 or not 0 < confidence < 1:
        raise ValueError("max_error and confidence are above 0 and below 1")
    distance = np.abs(log_odds(pfi))
    is_wrong = (pfi >= 50) != is_frontal
    found = None
    for reach in np.linspace(float(log_odds(np.array(MOST_SURE))), 0, BANDS):
        is_decided = distance > reach
        errors = int(is_wrong[is_decided].sum())
        p = float(binom.cdf(errors, int(is_decided.sum()), max_error))
        if p > 1 - confidence:
            break
        high = float(100 / (1 + np.exp(-reach)))
        found = (100 - high, high)
    return found
