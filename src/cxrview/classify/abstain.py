"""Decides on a PFI: frontal, lateral, or an honest "I am not sure"."""

import math

from cxrview.records import Instance, ModelCard, Prediction
from cxrview.terms import Agreement, Decision, View

NO_REVIEW = (math.inf, math.inf)
"""A review band that no PFI lies in: every image is decided."""


def decide(
    instance: Instance,
    pfi: float,
    card: ModelCard,
    *,
    review_band: tuple[float, float] | None = None,
    warnings: tuple[str, ...] = (),
    is_constant: bool = False,
) -> Prediction:
    """Make one result of one probability.

    Args:
        instance: whose image it is.
        pfi: probability of frontal in percent, 0 to 100.
        card: of the model that said so; gives the cutoff.
        review_band: lowest and highest PFI, ends included, that go to review instead; the
            card's own where None.
        warnings: codes from reading.
        is_constant: nothing is to be seen, so whatever the model says goes to review.
    """
    pfi = round(pfi, 3)  # decided on what the table shows
    low, high = card.review_band if review_band is None else review_band
    if is_constant:
        warnings = (*warnings, "constant_image")
    if is_constant or low <= pfi <= high:
        return Prediction(
            instance=instance,
            decision=Decision.REVIEW,
            pfi=pfi,
            warnings=warnings,
            model_id=card.model_id,
        )
    view = View.FRONTAL if pfi >= card.cutoff else View.LATERAL
    return Prediction(
        instance=instance,
        decision=Decision.CLASSIFIED,
        view=view,
        pfi=pfi,
        agreement=_agreement(view, instance.header_view),
        warnings=warnings,
        model_id=card.model_id,
    )


def skip(instance: Instance, reason: str, warnings: tuple[str, ...], card: ModelCard) -> Prediction:
    """The row of an image that the model was not asked about."""
    return Prediction(
        instance=instance,
        decision=Decision.SKIPPED,
        warnings=(*warnings, reason),
        model_id=card.model_id,
    )


def _agreement(view: View, header_view: View | None) -> Agreement:
    if header_view is None:
        return Agreement.SILENT
    return Agreement.AGREES if header_view is view else Agreement.DISAGREES
