"""Counts how often a model, or two in a cascade, is wrong about the view, by threshold."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.decisions import decisions_of
from cxrview.callbacks import ignore
from cxrview.classify.model import Model, load_model, model_folder
from cxrview.classify.model_files import read_card
from cxrview.classify.risk_control import count_risk, usual_thresholds
from cxrview.dataset.split import partition_of
from cxrview.records.answers import Answers, join_answers
from cxrview.records.model_card import ModelCard
from cxrview.records.risk_curve import Head, RiskCurve
from cxrview.terms import Decision, Partition, Precision, ShippedModel, View
from cxrview.train.fast.pictures import Pictures
from cxrview.train.fast.rules import one_of_each_patient

_CALL = 64
"""Pictures that a model gets in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPart:
    """A model, and pictures of patients that it was not trained on."""

    model: Model
    """With its rules; alone, or with a second one behind it."""
    rows: NDArray[np.intp]
    """Rows of radiographs."""


def count_view_risk(
    pictures: Pictures,
    parts: Sequence[ViewPart],
    progress: Callable[[int], None] = ignore,
) -> RiskCurve:
    """Count wrong views of the models on one upright image of each patient.

    An image is decided as in `cxrview classify`: by the second model where the first is not sure,
    and not at all where the deciding model refuses it as not a chest radiograph.

    Args:
        pictures: of all parts.
        parts: no patient is in two of them.
        progress: called with how many more pictures a model was run on.
    """
    percents, wrongs = [], []
    for part in parts:
        rows = one_of_each_patient(pictures, part.rows)
        answers = _answer(part.model, pictures, rows, progress)
        is_frontal = pictures.kinds()[rows] == str(View.FRONTAL)
        decisions = decisions_of(answers, part.model.card, part.model.second_card)
        is_refused = decisions == Decision.NOT_CHEST.value
        percents.append(np.where(is_refused, 0, np.maximum(answers.pfi, 100 - answers.pfi)))
        # Every review band that `--max-error` takes contains the cutoffs, so that 50 % decides
        # outside of it as they do.
        wrongs.append(~is_refused & ((answers.pfi >= 50) != is_frontal))
    return count_risk(np.concatenate(percents), np.concatenate(wrongs), usual_thresholds())


def with_view_curve(card: ModelCard, second: Model, curve: RiskCurve) -> ModelCard:
    """Put the curve of a model and of the second one behind it into the card of the first."""
    return dataclasses.replace(
        card,
        second_model_id=second.card.model_id,
        risk_curves={Head.VIEW: curve, **card.risk_curves},
    )


def load_second(precision: Precision) -> Model:
    """Load the model behind a fast one, at the precision of the fast one.

    Raises:
        UsageError: int8 is not computed correctly on this processor.
    """
    return load_model(ShippedModel.GOOGLENET, precision=precision, device="cpu")


def rows_new_to_second(pictures: Pictures, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Select pictures that did not train the model behind a fast one, nor set its cutoffs.

    These are all pictures of sources that it was not trained on, and the test patients of the
    others.
    """
    # The card of int8 does not name the training images, which are the same.
    training = read_card(model_folder(ShippedModel.GOOGLENET)).about.training or ()
    known = {one.source for one in training}
    is_new = [
        pictures.labels[row].source not in known
        or partition_of(pictures.labels[row].patient) is Partition.TEST
        for row in rows
    ]
    return np.asarray(rows[np.array(is_new, bool)])


def second_card(
    pictures: Pictures, rows: NDArray[np.intp], progress: Callable[[int], None] = ignore
) -> ModelCard:
    """Give the card of the model behind a fast one with a curve of that model alone.

    Args:
        pictures: prepared.
        rows: of radiographs that are new to it, as of `rows_new_to_second`.
        progress: called with how many more pictures a model was run on.

    Returns:
        The card in the package; it and its card of int8 have the curve of their precision.
    """

    def curves(precision: Precision) -> dict[Head, RiskCurve]:
        part = ViewPart(model=load_second(precision), rows=rows)
        return {Head.VIEW: count_view_risk(pictures, [part], progress)}

    card = read_card(model_folder(ShippedModel.GOOGLENET))
    assert card.int8 is not None
    int8 = dataclasses.replace(card.int8, risk_curves=curves(Precision.INT8))
    return dataclasses.replace(card, risk_curves=curves(Precision.FP32), int8=int8)


def _answer(
    model: Model, pictures: Pictures, rows: NDArray[np.intp], progress: Callable[[int], None]
) -> Answers:
    """The answers for upright pictures, rounded as `classify` rounds them before it decides."""
    parts = []
    for start in range(0, len(rows), _CALL):
        shown = np.asarray(pictures.pixels[rows[start : start + _CALL]])
        parts.append(model.answer(shown))
        progress(len(shown))
    answers = join_answers(parts)
    chest = None if answers.chest is None else answers.chest.round(3)
    return dataclasses.replace(answers, pfi=answers.pfi.round(3), chest=chest)
