"""Trains one model by a recipe, calibrates it and sets its cutoffs on validation patients."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cxrview.assess.cutoffs import with_cutoffs
from cxrview.assess.score_files import read_scores, write_scores
from cxrview.atomic_files import writing
from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.model_files import read_model, write_model
from cxrview.dataset.natural.photographs import SOURCE as PHOTOGRAPHS
from cxrview.digests import file_sha256
from cxrview.errors import InvalidModel, UsageError
from cxrview.image import SIDE
from cxrview.json_file import read_json, write_json
from cxrview.records.card_about import CardAbout, RecipeFacts
from cxrview.records.dataset import Label, NotChest
from cxrview.records.json_object import from_json
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores
from cxrview.stats import fit_temperature, log_odds
from cxrview.terms import Partition, View
from cxrview.train.distributed import FIRST
from cxrview.train.export import PRECISION, to_onnx
from cxrview.train.loop import train_model
from cxrview.train.pool import ImagePool
from cxrview.train.predict_orientations import (
    count_predictions,
    predict_chest_of_others,
    predict_orientations,
)
from cxrview.train.recipes import Recipe
from cxrview.train.setup import TrainingSetup

CHECKPOINT_NAME, VALIDATION, ABOUT = "checkpoint.safetensors", "validation.parquet", "about.json"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A finished model, and its PFI of the images that set its cutoffs."""

    card: ModelCard
    weights: bytes
    """The ONNX file."""
    validation: Scores
    """Of `predict_orientations`, for validation patients."""

    @property
    def runtime(self) -> OnnxRuntime:
        """The model loaded into ONNX Runtime, each time again."""
        return OnnxRuntime(self.weights)


def train_view_model(
    pool: ImagePool,
    setup: TrainingSetup,
    out: Path,
    *,
    seed: int,
    left_out: Scores | None = None,
) -> TrainedModel:
    """Train on training patients; calibrate and set cutoffs on validation patients.

    Cutoff and temperature are set on validation radiographs in all orientations, as the paper's
    cutoff was set on augmented ones. The review band leaves 99 % of each source and of each
    left-out source decided. The cutoff of `chest` is the middle of Youden's range, or lower, so
    that at most MAX_REFUSED of the validation radiographs are refused, both upright and in all
    orientations.

    Args:
        pool: with the images that `check_training_images` requires.
        setup: recipe, published weights, hardware and progress.
        out: folder of the checkpoint, from which a stopped training resumes; gets model.onnx,
            card.json and validation.parquet. An existing model is not trained again; its cutoffs
            are set again.
        seed: decides the initial classifiers, every batch and dropout.
        left_out: scores of sources by models of the same recipe that had not seen them, without
            test patients.

    Raises:
        UsageError: a view is missing, or the folder belongs to another training.
        InvalidModel: the published weights or the checkpoint do not fit.
        CannotWrite: the disk is full or not writable.
    """
    check_training_images(pool.radiographs.labels, pool.others, setup.recipe, "the labels")
    training, validation = map(pool.partition, (Partition.TRAINING, Partition.VALIDATION))
    claim_folder(
        out,
        {
            "recipe": dataclasses.asdict(setup.recipe),
            "seed": seed,
            "training_sha256": training.training_images.sha256,
            "validation_sha256": validation.training_images.sha256,
            "published_sha256": _weights_sha256(setup.published),
        },
    )
    is_trained = (out / VALIDATION).exists()
    setup.hardware.processes.sent(is_trained, FIRST)  # to `assist_view_model`
    if not is_trained:
        _train(training, validation, setup, out, seed)
    card, weights = read_model(out)
    (scores,) = read_scores(out / VALIDATION)
    others = predict_chest_of_others(validation, OnnxRuntime(weights).run)
    card = with_cutoffs(card, scores, left_out, others)
    with writing(out):
        write_model(out, card, weights)
    return TrainedModel(card=card, weights=weights, validation=scores)


def assist_view_model(pool: ImagePool, setup: TrainingSetup, *, seed: int) -> None:
    """Compute in a further process its rows of the batches of `train_view_model`.

    The first process calibrates the model, sets its cutoffs and writes all files.

    Args:
        pool: as for `train_view_model`; of the same images.
        setup: the same, with the device of this process.
        seed: the same.
    """
    if setup.hardware.processes.sent(None, FIRST):  # it was trained before
        return
    train_model(
        pool.partition(Partition.TRAINING).training_images,
        setup.published,
        setup.recipe,
        seed=seed,
        checkpoint=Path(CHECKPOINT_NAME),  # the first process reads and writes it
        hardware=setup.hardware,
    )


def check_training_images(
    labels: Sequence[Label], others: Sequence[NotChest], recipe: Recipe, what: str
) -> None:
    """Check that there are images for each part of a recipe, before hours are spent on training.

    Args:
        labels: need both views in training and in validation.
        others: need an image without a chest in both if the recipe trains `chest`, and a
            photograph if it has a share of photographs.
        recipe: of the training.
        what: names the labels in the message.

    Raises:
        UsageError: something is missing.
    """
    for part in (Partition.TRAINING, Partition.VALIDATION):
        views = {label.view for label in labels if label.partition is part}
        if missing := [view for view in View if view not in views]:
            raise UsageError(
                f"{what}, {part} patients: no {missing[0]} radiograph, and both views are needed"
            )
        sources = {other.source for other in others if other.partition is part}
        if recipe.not_chest and not sources - {PHOTOGRAPHS}:
            raise UsageError(
                f"{what}, {part} patients: no row says not-chest, which recipe {recipe.name} needs",
                "Add such rows, or use --recipe wide",
            )
        if recipe.photographs and PHOTOGRAPHS not in sources:
            raise UsageError(
                f"recipe {recipe.name} needs photographs, and there are none for {part}",
                "Give a tar or folder to --photographs, or use --recipe wide",
            )


def claim_folder(out: Path, about: dict[str, Any]) -> None:
    """Write into a folder which training it belongs to.

    Raises:
        UsageError: it belongs to another one; the message names what differs.
        CannotWrite: the disk is full or not writable.
    """
    path = out / ABOUT
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        if path.exists() and (differ := _differing(path, about)):
            raise UsageError(
                f"{out} belongs to another training, which differs in {', '.join(differ)}",
                "Give another folder to --out",
            )
        write_json(path, about)


def _differing(path: Path, about: dict[str, Any]) -> list[str]:
    wanted = json.loads(json.dumps(about))  # as it is read again: lists instead of tuples
    try:
        found = read_json(path)
    except ValueError:
        found = {}
    return sorted(name for name in found | wanted if found.get(name) != wanted.get(name))


def _weights_sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError as error:
        raise InvalidModel(f"{path} cannot be read: {error.strerror}") from error


def _train(
    training: ImagePool, validation: ImagePool, setup: TrainingSetup, out: Path, seed: int
) -> None:
    """Write a calibrated model without cutoffs, and its scores of validation patients."""
    recipe, watch = setup.recipe, setup.watch
    with writing(out):
        model = train_model(
            training.training_images,
            setup.published,
            recipe,
            seed=seed,
            checkpoint=out / CHECKPOINT_NAME,
            hardware=setup.hardware,
            report=lambda step, loss: watch.step(step, recipe.steps, loss),
        )
    uncalibrated = OnnxRuntime(to_onnx(model, side=SIDE))
    progress = watch.counter(count_predictions(validation.radiographs), "validation images")
    raw = predict_orientations(
        validation.radiographs, uncalibrated.run, name=recipe.name, progress=progress
    )
    temperature = round(fit_temperature(raw.pfi, raw.is_frontal), 4)
    weights = to_onnx(model, side=SIDE, temperature=temperature)
    card = _card(recipe, seed, weights, temperature)
    pfi = np.asarray(100 / (1 + np.exp(-log_odds(raw.pfi) / temperature)))
    with writing(out):
        write_model(out, card, weights)
        scores = dataclasses.replace(raw, classifier=card.model_id, pfi=pfi)
        write_scores(out / VALIDATION, [scores])


def _card(recipe: Recipe, seed: int, weights: bytes, temperature: float) -> ModelCard:
    sha256 = hashlib.sha256(weights).hexdigest()
    return ModelCard(
        model_id=f"{recipe.name}-{sha256[:8]}",
        weights_sha256=sha256,
        input_side=SIDE,
        cutoff=50.0,
        paper_cutoff=50.0,
        review_band=(50.0, 50.0),
        precision=PRECISION,
        temperature=temperature,
        chest_cutoff=0.0 if recipe.has_chest else None,
        about=CardAbout(recipe=from_json(RecipeFacts, dataclasses.asdict(recipe)), seed=seed),
    )
