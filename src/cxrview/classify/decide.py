"""Decide from the output of a model: frontal, lateral, not a chest radiograph, or review."""

from cxrview.records.classification import Instance, Prediction
from cxrview.records.model_card import ModelCard
from cxrview.terms import Agreement, Decision, View


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
    """Decide on one image.

    Args:
        instance: the image.
        pfi: probability of frontal in percent, 0 to 100.
        card: of the model, with the cutoffs.
        chest: probability of a chest radiograph in percent, 0 to 100; None if the model has no such
        output.
        review_band: lowest and highest PFI, both inclusive, that are sent to review; None for the
        card's.
        chest_cutoff: below this percentage the image is not a chest radiograph; None for the
        card's, 0 refuses nothing.
        warnings: codes of warnings from reading the file.
        is_constant: every pixel has the same value, so that the image is sent to review.
    """
    pfi = round(pfi, 3)  # so that the table shows the value that was decided on
    chest = None if chest is None else round(chest, 3)
    if is_constant:
        warnings = (*warnings, "constant_image")
    low, high = card.review_band if review_band is None else review_band
    least = card.chest_cutoff if chest_cutoff is None else chest_cutoff
    is_unsure = is_constant or low <= pfi <= high
    decision = Decision.REVIEW if is_unsure else Decision.CLASSIFIED
    # The PFI of an image that is not a chest radiograph has no meaning.
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
    """Return the prediction of an image that the model is not run on."""
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
