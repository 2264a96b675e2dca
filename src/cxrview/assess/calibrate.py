"""Sets the threshold of each head of a model by labelled images of an archive.

The images are drawn from the archive at random and one of each patient counts, so that they are
independent. See `classify.risk_control` for the promise.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.classify.conditions import DECISION_CONDITIONS, DECISION_CONDITIONS_OF_CASCADE
from cxrview.classify.risk_control import (
    CANDIDATES,
    controlled_threshold,
    count_risk,
    images_needed,
)
from cxrview.errors import UsageError
from cxrview.records.calibration import Calibration, HeadCalibration
from cxrview.records.evaluation import LabelledRow
from cxrview.records.risk_curve import Head
from cxrview.results.concat import read_part
from cxrview.results.tables import each_row
from cxrview.terms import Decision, LabelStatus, View
from cxrview.wording import plural

START = 1.25
"""The strictest candidate decides about this many times the images that are needed at least: fewer
could not show the promise even without an error."""
_NOT_CHEST = "not a chest radiograph"
_CONSTANT = "constant_image"
_ANSWERED = (Decision.CLASSIFIED, Decision.REVIEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadAnswers:
    """The answers of one head for calibration images, one of each patient.

    Attributes:
        head: the question.
        percent: shape (n,), probability of the answer that was given; 0 without an answer.
        is_wrong: shape (n,), whether the answer is wrong.
        thresholds: candidates, percent, from the strictest to the loosest, chosen without
            `is_wrong`.
    """

    head: Head
    percent: NDArray[np.float64]
    is_wrong: NDArray[np.bool_]
    thresholds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationImages:
    """The images of a study that a calibration counts, and how many others it does not.

    Attributes:
        rows: one of each patient, drawn with the same probability from the archive.
        unsettled: not read by all readers yet.
        without_row: settled, and not in the result.
        without_truth: excluded for another reason than that it is not a chest radiograph.
        oversampled: left out because their stratum was sampled more densely than others.
        same_patient: further images of a patient.
        without_patient: of `rows`, those whose patient is unknown; each counts as a patient.
    """

    rows: tuple[LabelledRow, ...]
    unsettled: int
    without_row: int
    without_truth: int
    oversampled: int
    same_patient: int
    without_patient: int


def calibrate_archive(
    table: Path,
    rows: Iterable[LabelledRow],
    *,
    max_error: float,
    confidence: float,
    seed: int = 0,
) -> tuple[Calibration, CalibrationImages]:
    """Set the thresholds for a result of `cxrview classify` by a labelled sample of it.

    Args:
        table: the result, with its summary.
        rows: every image of an annotation study whose images were drawn at random from the result.
        max_error: largest share of errors among decided images, above 0 and below 1.
        confidence: probability, over such samples, that the promise holds; above 0 and below 1.
        seed: decides which images of a stratum that was sampled more densely are left out.

    Raises:
        UsageError: a number is out of range, the result was made by several models, readers
            disagree about an image, or there are too few images or too many errors for the promise.
    """
    if not 0 < max_error < 1 or not 0 < confidence < 1:
        raise UsageError(
            f"max_error and confidence are above 0 and below 1; got {max_error} and {confidence}"
        )
    conditions = _decision_conditions(table)
    images = choose_images(rows, seed=seed)
    models = {conditions["model"], conditions.get("second_model")}
    if {row.model_id for row in images.rows} - models:
        raise UsageError(
            f"{table} has rows of another model than its summary names",
            "Calibrate the result of one run of cxrview classify",
        )
    answers = view_answers(
        images.rows,
        _archive_answers(table),
        cutoffs=[
            float(conditions[name]) for name in ("cutoff", "second_cutoff") if name in conditions
        ],
        needed=images_needed(max_error, confidence),
    )
    return calibrate([answers], conditions, max_error=max_error, confidence=confidence), images


def calibrate(
    answers: Sequence[HeadAnswers],
    conditions: Mapping[str, str],
    *,
    max_error: float,
    confidence: float,
) -> Calibration:
    """Find the threshold of each head.

    Args:
        answers: of at least one head.
        conditions: of `decision_conditions`, under which the answers were given.
        max_error: largest share of errors among decided images, above 0 and below 1.
        confidence: probability that the promise of a head holds, above 0 and below 1.

    Returns:
        With a threshold of None for a head whose errors cannot be shown to stay below `max_error`.

    Raises:
        UsageError: that is so for every head.
    """
    heads = {}
    for one in answers:
        curve = count_risk(one.percent, one.is_wrong, one.thresholds)
        found = controlled_threshold(curve, max_error, confidence)
        heads[one.head] = HeadCalibration(
            threshold=None if found is None else found.percent,
            max_error=max_error,
            confidence=confidence,
            patients=len(one.percent),
            curve=curve,
        )
    if all(one.threshold is None for one in heads.values()):
        raise UsageError(
            "; ".join(_why_none(head, one) for head, one in heads.items()),
            "Have more images read, or allow more errors with --max-error",
        )
    return Calibration(
        model_id=conditions["model"],
        precision=conditions["precision"],
        conditions=dict(conditions),
        heads=heads,
    )


def choose_images(rows: Iterable[LabelledRow], *, seed: int = 0) -> CalibrationImages:
    """Choose images that are independent and as frequent as in the archive.

    Images of a stratum are kept with a probability that is proportional to how many images of the
    archive one of them represents; then one image of each patient is kept, at random.

    Args:
        rows: every image of a study.
        seed: of the choice within strata.

    Raises:
        UsageError: readers disagree about an image.
    """
    every = sorted(rows, key=lambda row: row.image_id)  # random, unrelated to file and patient
    conflicts = sum(row.status is LabelStatus.CONFLICT for row in every)
    if conflicts:
        raise UsageError(
            f"readers disagree about {plural(conflicts, 'image')}, and a promise without the "
            "hardest images would not hold",
            "Have them adjudicated first",
        )
    compared = [row for row in every if row.is_compared]
    usable = [row for row in compared if _has_truth(row)]
    weights = _weights(every)
    most = max((weights[_stratum(row)] for row in usable), default=1.0)
    chances = np.random.default_rng(seed).random(len(usable))
    frequent = [
        row
        for row, chance in zip(usable, chances, strict=True)
        if chance < weights[_stratum(row)] / most
    ]
    chosen: dict[str, LabelledRow] = {}
    for row in frequent:
        chosen.setdefault(row.patient or f"image {row.image_id}", row)
    return CalibrationImages(
        rows=tuple(chosen.values()),
        unsettled=sum(not row.is_settled for row in every),
        without_row=sum(row.is_settled and not row.decision for row in every),
        without_truth=len(compared) - len(usable),
        oversampled=len(usable) - len(frequent),
        same_patient=len(frequent) - len(chosen),
        without_patient=sum(not row.patient for row in chosen.values()),
    )


def view_answers(
    rows: Sequence[LabelledRow],
    archive_pfi: NDArray[np.float64],
    *,
    cutoffs: Sequence[float],
    needed: int,
) -> HeadAnswers:
    """Compare the view of each image with the readers'.

    A view is also wrong where readers gave another label, or excluded the image as not a chest
    radiograph. The model gives no view to an image that it refuses or skips, nor to one whose
    pixels all have the same value.

    Args:
        rows: of `choose_images`.
        archive_pfi: shape (m,), percent, of every image of the archive that gets an answer.
        cutoffs: percent, of the card of each model that gave answers: frontal where PFI is at
            least this. No candidate is below them, so that a decided answer is the more probable.
        needed: decided images that the promise needs at least.
    """
    pfi = np.array([row.pfi if _is_answered(row) else np.nan for row in rows], np.float64)
    is_wrong = [
        row.label_view is not (View.FRONTAL if is_frontal else View.LATERAL)
        for row, is_frontal in zip(rows, (pfi >= 50).tolist(), strict=True)
    ]
    least = max(max(cutoff, 100 - cutoff) for cutoff in cutoffs)
    loosest = math.ceil(1000 * least - 1e-6) / 1000
    return HeadAnswers(
        head=Head.VIEW,
        percent=np.nan_to_num(_of_answer(pfi)),
        is_wrong=np.array(is_wrong, bool),
        thresholds=archive_thresholds(
            _of_answer(archive_pfi), loosest, images=int(np.isfinite(pfi).sum()), needed=needed
        ),
    )


def archive_thresholds(
    percent: NDArray[np.float64], loosest: float, *, images: int, needed: int
) -> tuple[float, ...]:
    """Choose candidates by the answers of the whole archive, of which no label is known.

    The strictest is expected to decide START times `needed` calibration images; from there the
    share that is not decided becomes smaller by equal factors. So the candidates do not depend on
    which images were sampled, nor on their labels, and every test is exact.

    Args:
        percent: shape (m,), probability of the answer of every image, to three digits.
        loosest: percent, the last candidate.
        images: calibration images with an answer.
        needed: decided images that a promise needs at least.
    """
    ordered = np.sort(percent)[::-1]
    inner = ordered[ordered > loosest]
    left = 1 - START * needed / max(images, 1)
    least = max(1, len(ordered) - len(inner)) / max(len(ordered), 1)
    if left <= least:
        return (loosest,)
    shares = 1 - np.geomspace(left, least, CANDIDATES - 1)
    ranks = np.clip(np.ceil(shares * len(ordered)).astype(int), 1, len(inner))
    # An answer is decided above the threshold, so that it is just below the answer of that rank.
    steps = {round(float(inner[rank - 1]) - 0.001, 3) for rank in ranks}
    return (*sorted((step for step in steps if step > loosest), reverse=True), loosest)


def _decision_conditions(table: Path) -> dict[str, str]:
    conditions = read_part(table).conditions
    is_cascade = "second_model" in conditions
    names = DECISION_CONDITIONS_OF_CASCADE if is_cascade else DECISION_CONDITIONS
    found = {name: conditions[name] for name in names if name in conditions}
    is_joined = any(" + " in value for name, value in found.items() if name != "precision")
    if len(found) < len(names) or is_joined:
        raise UsageError(
            f"{table} was not made by one model under the same settings",
            "Calibrate the result of one run of cxrview classify",
        )
    return found


def _archive_answers(table: Path) -> NDArray[np.float64]:
    """PFI of every row that gets an answer, shape (m,)."""
    rows = each_row(table, ("path", "decision", "pfi"))
    return np.array([row["pfi"] for row in rows if row["decision"] in _ANSWERED], np.float64)


def _of_answer(pfi: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of the more probable view, to the digits that a result has."""
    return np.asarray(np.round(np.maximum(pfi, 100 - pfi), 3), np.float64)


def _is_answered(row: LabelledRow) -> bool:
    is_constant = _CONSTANT in row.warnings.split(";")
    return row.decision in _ANSWERED and row.pfi is not None and not is_constant


def _has_truth(row: LabelledRow) -> bool:
    return row.label_view is not None or row.reason in ("", _NOT_CHEST)


def _stratum(row: LabelledRow) -> tuple[str, float]:
    return row.stratum, row.weight


def _weights(rows: Iterable[LabelledRow]) -> dict[tuple[str, float], float]:
    """How many images of the archive a settled image of each stratum represents."""
    strata: defaultdict[tuple[str, float], list[bool]] = defaultdict(list)
    for row in rows:
        strata[_stratum(row)].append(row.is_compared)
    return {stratum: stratum[1] * len(of) / sum(of) for stratum, of in strata.items() if sum(of)}


def _why_none(head: Head, one: HeadCalibration) -> str:
    needed = images_needed(one.max_error, one.confidence)
    decided, first = one.curve.decided[-1], one.curve
    promise = f"at most {100 * one.max_error:g} % errors with {100 * one.confidence:g} % confidence"
    if decided < needed:
        return (
            f"{head}: the study has {plural(decided, 'image')} of different patients that the "
            f"model decides, and {promise} needs {needed:,} of them without an error"
        )
    return (
        f"{head}: {promise} cannot be shown: above {first.thresholds[0]:g} %, "
        f"{first.errors[0]:,} of {first.decided[0]:,} images are wrong"
    )
