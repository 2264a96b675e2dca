"""Adds int8 weights to a finished model: quantised, with their own cutoffs, and compared."""

import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.cutoffs import with_cutoffs
from cxrview.assess.decisions import count_decisions, decisions_of, log_loss, points_apart
from cxrview.atomic_files import writing
from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.model import need_int8_processor
from cxrview.classify.model_files import read_model, write_model
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.errors import UsageError
from cxrview.records.answers import Answers
from cxrview.records.card_about import CardAbout, PrecisionComparison
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores
from cxrview.terms import Decision, Partition, View
from cxrview.train.callbacks import TrainingWatch
from cxrview.train.leave_source_out import LeftOutResult, unseen_scores
from cxrview.train.pool import ImagePool
from cxrview.train.predict_orientations import (
    Predict,
    count_predictions,
    predict_orientations,
    predict_others,
)
from cxrview.train.quantise import PRECISION, quantise

UPRIGHT = 240
"""Training radiographs for the calibration, as many of each source and view where possible."""
OTHERS = 60
"""Training images without a chest for the calibration, as many of each source."""


def quantise_model(
    folder: Path,
    pool: ImagePool,
    out: Path,
    *,
    left_out: Sequence[LeftOutResult] = (),
    watch: TrainingWatch | None = None,
) -> ModelCard:
    """Calibrate on training patients, set cutoffs on validation patients, test on test patients.

    Args:
        folder: of a float32 model, as `cxrview train` makes it.
        pool: of the labels that it was made with.
        out: gets a copy of model.onnx, model-int8.onnx, and the card of both; may be `folder`.
        left_out: as the model was made with.
        watch: called with the progress.

    Returns:
        The float32 card with the int8 card in it, whose `about` has the calibration and the
        comparison.

    Raises:
        UsageError: a partition has no radiographs, or this processor computes int8 wrongly.
        InvalidModel: the folder has no model, or it was changed.
    """
    watch = watch or TrainingWatch()
    need_int8_processor()
    card, weights = read_model(folder)
    for part in Partition:
        if not pool.partition(part).radiographs.labels:
            raise UsageError(f"the labels hold no radiograph of {part} patients")
    watch.stage("calibrate")
    pictures = choose_calibration_images(pool.partition(Partition.TRAINING))
    int8_weights = quantise(weights, pictures)
    models = OnnxRuntime(weights), OnnxRuntime(int8_weights)
    int8 = _card(card, int8_weights, len(pictures))
    compared: dict[str, dict[str, PrecisionComparison]] = {}
    for part in (Partition.VALIDATION, Partition.TEST):
        watch.stage(f"compare on {part} patients")
        of = pool.partition(part)
        (old, others), (new, new_others) = (_predict(of, one.run, watch) for one in models)
        if part is Partition.VALIDATION:
            chest = None if new_others is None else new_others.chest
            int8 = with_cutoffs(int8, new, unseen_scores(left_out), chest)
        compared[str(part)] = {
            "as_they_lie": _compare(old, new, card, int8, old.is_progenitor),
            "sixteen_orientations": _compare(old, new, card, int8),
        }
        if others and new_others:
            compared[str(part)]["no_chest"] = _compare_answers(others, new_others, card, int8)
    int8 = dataclasses.replace(int8, about=dataclasses.replace(int8.about, against_fp32=compared))
    both = dataclasses.replace(card, int8=int8)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        write_model(out, both, weights, int8_weights)
    return both


def choose_calibration_images(training: ImagePool) -> NDArray[np.uint8]:
    """Choose calibration images of each kind, and turn every second one as well.

    Returns:
        Squashed, shape (n, 256, 256), uint8; the choice is always the same.
    """
    rng = np.random.default_rng(0)
    labels = training.radiographs.labels
    views = np.array([f"{label.source}\0{label.view}" for label in labels], str)
    sources = np.array([other.source for other in training.others], str)
    upright = np.concatenate(
        [
            training.radiographs.pixels[_sample_evenly(views, UPRIGHT, rng)],
            training.not_chest[_sample_evenly(sources, OTHERS, rng)],
        ]
    )
    turns = list(ORIENTATIONS.values())[1:]
    turned = [turns[k % len(turns)](one[None]) for k, one in enumerate(upright[::2])]
    return np.concatenate([upright, *turned])


def _sample_evenly(
    kinds: NDArray[np.str_], total: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Choose positions of about the same number of each kind."""
    names = np.unique(kinds)
    drawn = [np.empty(0, np.intp)]
    for name in names:
        of = np.flatnonzero(kinds == name)
        drawn.append(rng.choice(of, min(len(of), -(-total // len(names))), replace=False))
    return np.sort(np.concatenate(drawn))


def _card(card: ModelCard, weights: bytes, pictures: int) -> ModelCard:
    sha256 = hashlib.sha256(weights).hexdigest()
    recipe = card.model_id.rpartition("-")[0] or card.model_id
    return dataclasses.replace(
        card,
        model_id=f"{recipe}-int8-{sha256[:8]}",
        weights_sha256=sha256,
        precision=PRECISION,
        about=CardAbout(quantised_from=card.model_id, calibrated_on_training_pictures=pictures),
        int8=None,
        second_model_id="",
        risk_curves={},  # they count the answers of the float32 weights
    )


def _predict(
    pool: ImagePool, predict: Predict, watch: TrainingWatch
) -> tuple[Scores, Answers | None]:
    total = count_predictions(pool.radiographs) + len(pool.others)
    progress = watch.counter(total, "images")
    scores = predict_orientations(pool.radiographs, predict, name="model", progress=progress)
    return scores, predict_others(pool, predict, progress)


def _compare(
    old: Scores,
    new: Scores,
    old_card: ModelCard,
    new_card: ModelCard,
    chosen: NDArray[np.bool_] | None = None,
) -> PrecisionComparison:
    if chosen is not None:
        old, new = old.where(chosen), new.where(chosen)
    before, after = count_decisions(old, old_card), count_decisions(new, new_card)
    compared = _compare_answers(
        Answers(pfi=old.pfi, chest=old.chest),
        Answers(pfi=new.pfi, chest=new.chest),
        old_card,
        new_card,
    )
    return dataclasses.replace(
        compared,
        log_loss=(round(log_loss(old), 5), round(log_loss(new), 5)),
        errors=(before.errors, after.errors),
        decided=(before.decided, after.decided),
        refused=(before.refused, after.refused),
    )


def _compare_answers(
    old: Answers, new: Answers, old_card: ModelCard, new_card: ModelCard
) -> PrecisionComparison:
    """How far the percentages differ, in points, and how many decisions change with them."""
    before, after = decisions_of(old, old_card), decisions_of(new, new_card)
    views = [str(view) for view in View]
    has_view = np.isin(before, views) & np.isin(after, views)
    is_changed = before != after
    is_review = (before == Decision.REVIEW) | (after == Decision.REVIEW)
    return PrecisionComparison(
        pictures=len(before),
        pfi_apart_points=points_apart(old.pfi, new.pfi),
        chest_apart_points=points_apart(old.chest, new.chest)
        if old.chest is not None and new.chest is not None
        else None,
        other_view=int((is_changed & has_view).sum()),
        to_or_from_review=int((is_changed & is_review).sum()),
        changed_decisions=int(is_changed.sum()),
    )
