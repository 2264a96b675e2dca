"""Sets where a fast model is sure: the border to the second model, and a threshold a question."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.pose import answer_probability
from cxrview.callbacks import ignore
from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.risk_control import (
    CONFIDENCE,
    add_curves,
    binomial_cdf,
    controlled_threshold,
    count_risk,
    usual_thresholds,
)
from cxrview.classify.straighten import run_straightened
from cxrview.dataset.augment.poses import ORIENTATIONS, pose_of_orientation
from cxrview.digests import shuffle_key
from cxrview.records.answers import Answers, join_answers
from cxrview.records.model_card import THRESHOLDS, ModelCard
from cxrview.records.risk_curve import Head, RiskCurve
from cxrview.records.scores import PROGENITOR_NAME
from cxrview.terms import Projection, ShippedModel, View
from cxrview.train.fast.pictures import Pictures

BORDER = (2.0, 98.0)
"""Percent of PFI, ends included: between them the second model decides. The ends are those of the
strictest threshold that is ever tried, so that the fast model decides only what it is surest of."""
MOST_PASSED_ON = 0.01
"""Largest share of validation radiographs that are passed on because of `chest`."""
MAX_ERROR: Mapping[Head, float] = {
    Head.ROTATION: 0.01,
    Head.MIRRORED: 0.02,
    Head.INVERTED: 0.01,
    Head.PROJECTION: 0.02,
}
"""Promised share of errors among decided images; written down before any image was counted. With
600 patients without an error 0.5 % can be shown, with 150 of them 2 %."""
NEVER = 100.0
"""Threshold of a question whose promise cannot be shown: no answer is given."""

Run = Callable[[NDArray[np.uint8]], Answers]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationPart:
    """A model, and pictures of patients that it was not trained on."""

    backend: OnnxRuntime
    """The model; with its temperature."""
    rows: NDArray[np.intp]
    """Rows of radiographs."""


def with_rules(
    card: ModelCard, chest: NDArray[np.float64], parts: Sequence[Mapping[Head, RiskCurve]]
) -> ModelCard:
    """Set the border, the cutoff of `chest`, the thresholds and the risk curves of a card.

    A threshold keeps the promise on all parts together (Learn then Test), and no part alone has
    significantly more errors than promised (one-sided exact binomial test at 5 %): most images of
    the parts are of one source, which would hide a small one on which the model is often wrong.

    Args:
        card: all other fields are kept.
        chest: of validation radiographs, shape (n,), percent.
        parts: of `risk_curves`.

    Returns:
        A card without a curve for the view, which needs these rules: see `with_view_curve`.
    """
    curves = {
        head: add_curves([part[head] for part in parts if head in part])
        for head in Head
        if any(head in part for part in parts)
    }
    thresholds = {
        name: _threshold(Head(name), curves, parts) if name in curves else NEVER
        for name in THRESHOLDS
    }
    # Rounded down, so that no image is passed on by rounding.
    least = float(np.floor(1000 * np.quantile(chest, MOST_PASSED_ON, method="lower")) / 1000)
    return dataclasses.replace(
        card,
        review_band=BORDER,
        chest_cutoff=least,
        thresholds=thresholds,
        risk_curves=dict(curves),
        second=str(ShippedModel.GOOGLENET),
    )


def _threshold(
    head: Head, curves: Mapping[Head, RiskCurve], parts: Sequence[Mapping[Head, RiskCurve]]
) -> float:
    """The loosest threshold that keeps the promise of a head; `NEVER` if there is none."""
    curve, most = curves[head], MAX_ERROR[head]
    kept = len(curve.thresholds)
    for part in parts:
        if head in part:
            kept = min(kept, _kept_by(part[head], most))
    if not kept:
        return NEVER
    strict = RiskCurve(
        thresholds=curve.thresholds[:kept], decided=curve.decided[:kept], errors=curve.errors[:kept]
    )
    found = controlled_threshold(strict, most)
    return found.percent if found else NEVER


def _kept_by(curve: RiskCurve, most: float) -> int:
    """The number of thresholds, from the strictest on, before the first that breaks the promise."""
    for kept, (decided, errors) in enumerate(zip(curve.decided, curve.errors, strict=True)):
        if errors and 1 - binomial_cdf(errors - 1, decided, most) < 1 - CONFIDENCE:
            return kept
    return len(curve.thresholds)


def risk_curves(
    pictures: Pictures,
    parts: Sequence[CalibrationPart],
    progress: Callable[[int], None] = ignore,
) -> list[dict[Head, RiskCurve]]:
    """Count the errors of models on one image of each patient, for each part.

    The projection is counted upright, as images of an archive are; turn, mirroring and inversion in
    an orientation that is drawn for each image. `count_view_risk` counts the view.

    Args:
        pictures: of all parts.
        parts: no patient is in two of them.
        progress: called with how many more pictures a model was run on.
    """
    return [
        {
            head: count_risk(percent, is_wrong, usual_thresholds())
            for head, (percent, is_wrong) in _samples(pictures, part, progress).items()
        }
        for part in parts
    ]


def one_of_each_patient(pictures: Pictures, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Choose one picture of each patient, always the same."""
    first: dict[str, int] = {}
    for row in sorted(rows.tolist(), key=lambda row: shuffle_key(0, pictures.labels[row].file)):
        first.setdefault(pictures.labels[row].patient, row)
    return np.array(sorted(first.values()), np.intp)


Sample = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""Probability of the given answer, percent, and whether it is wrong; shape (n,) each."""


def _samples(
    pictures: Pictures, part: CalibrationPart, progress: Callable[[int], None]
) -> dict[Head, Sample]:
    rows = one_of_each_patient(pictures, part.rows)
    is_frontal = pictures.kinds()[rows] == str(View.FRONTAL)
    drawn = [_drawn_orientation(pictures.labels[row].file) for row in rows]
    turned = _run(pictures, part.backend.run, rows, progress, drawn)
    truths = [pose_of_orientation(name) for name in drawn]
    samples = {
        Head.ROTATION: _sample(turned, Head.ROTATION, [one.quarter_turns for one in truths]),
        Head.MIRRORED: _sample(
            turned, Head.MIRRORED, [int(one.is_mirrored) for one in truths], is_frontal
        ),
        Head.INVERTED: _sample(turned, Head.INVERTED, [int(one.is_inverted) for one in truths]),
    }
    known = pictures.projections()
    projected = one_of_each_patient(pictures, part.rows[known[part.rows] != ""])
    if len(projected):
        is_ap = [int(one == str(Projection.AP)) for one in known[projected]]
        answers = _run(pictures, part.backend.run, projected, progress)
        samples[Head.PROJECTION] = _sample(answers, Head.PROJECTION, is_ap)
    return samples


def _sample(
    answers: Answers,
    head: Head,
    right: Sequence[int],
    is_asked: NDArray[np.bool_] | None = None,
) -> Sample:
    assert answers.pose is not None
    percent, given = answer_probability(answers.pose, str(head))
    is_wrong = given != np.array(right)
    return (percent, is_wrong) if is_asked is None else (percent[is_asked], is_wrong[is_asked])


def _drawn_orientation(file: str) -> str:
    names = list(ORIENTATIONS)
    return names[int.from_bytes(shuffle_key(1, file)[0]) % len(names)]


def _run(
    pictures: Pictures,
    run: Run,
    rows: NDArray[np.intp],
    progress: Callable[[int], None],
    orientations: Sequence[str] = (),
) -> Answers:
    answers = []
    names = orientations or [PROGENITOR_NAME] * len(rows)
    for row, name in zip(rows, names, strict=True):
        shown = ORIENTATIONS[name](np.asarray(pictures.pixels[row])[None])
        answers.append(run_straightened(run, shown))
        progress(1)
    return join_answers(answers)
