"""Decides on a model's answer: frontal, lateral, no chest, or an honest "I am not sure"."""

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
    chest: float | None = None,
    review_band: tuple[float, float] | None = None,
    chest_cutoff: float | None = None,
    warnings: tuple[str, ...] = (),
    is_constant: bool = False,
) -> Prediction:
    """Make one result of one answer.

    Args:
        instance: whose image it is.
        pfi: probability of frontal in percent, 0 to 100.
        card: of the model that said so; gives the cutoffs.
        chest: probability of a chest radiograph in percent, 0 to 100; None where the model does not
            tell.
        review_band: lowest and highest PFI, ends included, that go to review instead; the
            card's own where None.
        chest_cutoff: no chest below this percentage; the card's own where None, 0 refuses nothing.
        warnings: codes from reading.
        is_constant: nothing is to be seen, so whatever the model says goes to review.
    """
    pfi = round(pfi, 3)  # decided on what the table shows
    chest = None if chest is None else round(chest, 3)
    if is_constant:
        warnings = (*warnings, "constant_image")
    low, high = card.review_band if review_band is None else review_band
    least = card.chest_cutoff if chest_cutoff is None else chest_cutoff
    is_unsure = is_constant or low <= pfi <= high
    decision = Decision.REVIEW if is_unsure else Decision.CLASSIFIED
    # Of what is no chest a PFI means nothing, whatever it is.
    if not is_constant and chest is not None and least is not None and chest < least:
        decision = Decision.NOT_CHEST
    view = None
    if decision is Decision.CLASSIFIED:
        view = View.FRONTAL if pfi >= card.cutoff else View.LATERAL
    return Prediction(
        instance=instance,
        decision=decision,
        view=view,
        pfi=pfi,
        chest=chest,
        agreement=_agreement(view, instance.header_view) if view else None,
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
