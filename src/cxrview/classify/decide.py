"""Decide from the output of a model: frontal, lateral, not a chest radiograph, or review."""

from collections.abc import Mapping
from typing import Any

from cxrview.records.answers import PoseAnswer
from cxrview.records.classification import Instance, Prediction
from cxrview.records.model_card import ModelCard
from cxrview.terms import Agreement, Decision, Projection, View


def decide(
    instance: Instance,
    pfi: float,
    card: ModelCard,
    *,
    chest: float | None = None,
    pose: PoseAnswer | None = None,
    thresholds: Mapping[str, float] | None = None,
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
        pose: what the model says of turn, mirroring, inversion and projection; None if it has no
        such outputs.
        thresholds: of `pose`, percent, by name; None for those of the card.
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
    posed = {}
    if pose and decision in _POSED and not is_constant:
        posed = _pose(pose, view, card.thresholds if thresholds is None else thresholds)
    return Prediction(
        instance=instance,
        decision=decision,
        view=view,
        pfi=pfi,
        chest=chest,
        agreement=_agreement(view, instance.header_view) if view else None,
        warnings=warnings,
        model_id=card.model_id,
        **posed,
    )


_POSED = (Decision.CLASSIFIED, Decision.REVIEW)
"""Decisions on what may be a chest radiograph, which has a pose."""


def _pose(pose: PoseAnswer, view: View | None, thresholds: Mapping[str, float]) -> dict[str, Any]:
    """The fields of a prediction that `pose` decides, each where it is above its threshold."""
    turn = round(max(pose.turns), 3)
    inverted, inverted_percent = _answer(pose.inverted, thresholds["inverted"])
    decided: dict[str, Any] = {
        "rotation": pose.rotation if turn > thresholds["rotation"] else None,
        "rotation_probability": turn,
        "inverted": inverted,
        "inverted_probability": inverted_percent,
    }
    if view is View.FRONTAL:
        mirrored, mirrored_percent = _answer(pose.mirrored, thresholds["mirrored"])
        is_ap, ap_percent = _answer(pose.projection_ap, thresholds["projection"])
        decided |= {
            "mirrored": mirrored,
            "mirrored_probability": mirrored_percent,
            "projection": None if is_ap is None else Projection.AP if is_ap else Projection.PA,
            "projection_ap": ap_percent,
        }
    return decided


def _answer(percent: float, least: float) -> tuple[bool | None, float]:
    """Yes or no where that is more probable, else None; and the probability of yes."""
    percent = round(percent, 3)
    is_so = percent >= 50
    return (is_so if max(percent, 100 - percent) > least else None), percent


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
