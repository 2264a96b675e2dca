"""Computes what the card of the shipped model says about it."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cxrview.assess.decisions import count_by, count_decisions, log_loss, points_apart, views_of
from cxrview.classify.backend import OnnxRuntime
from cxrview.classify.model import Model
from cxrview.dataset.split import RULE
from cxrview.image import SIDE
from cxrview.records.card_about import (
    Calibration,
    CalibrationBin,
    CardAbout,
    NotChestCounts,
    OrientationCounts,
    SeedResult,
    Seeds,
    SourceCounts,
    StorageLoss,
    TrainingCount,
)
from cxrview.records.evaluation import Assessment
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores
from cxrview.stats import exact_interval
from cxrview.terms import Partition
from cxrview.train.callbacks import TrainingWatch
from cxrview.train.checkpoint import load_weights
from cxrview.train.export import to_onnx
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.leave_source_out import LeftOutResult, left_out_counts
from cxrview.train.pool import ImagePool
from cxrview.train.predict_orientations import predict_chest_of_others
from cxrview.train.recipes import Recipe
from cxrview.train.setup import TrainingSetup
from cxrview.train.view_model import TrainedModel


def describe_release(
    pool: ImagePool,
    setup: TrainingSetup,
    trained: Mapping[int, TrainedModel],
    chosen: int,
    *,
    test: Scores,
    checkpoint: Path,
    calibration: Mapping[str, Assessment],
    left_out: Sequence[LeftOutResult],
) -> CardAbout:
    """Count training images, decisions and errors, and compare seeds and precisions.

    Args:
        pool: of all sources.
        setup: of the trainings.
        trained: all models, by seed.
        chosen: the seed of the model that ships.
        test: its PFI of test radiographs, in all orientations.
        checkpoint: of its training.
        calibration: of that model, by the set of images.
        left_out: of the same recipe.

    Returns:
        The card's `about`, without `labels_sha256` and `statements`.
    """
    model = trained[chosen]
    return dataclasses.replace(
        model.card.about,
        chosen_on="validation patients",
        partitions=RULE,
        training=_count_training(pool.partition(Partition.TRAINING)),
        validation=_by_source(_upright(model.validation), model.card),
        test=_by_source(_upright(test), model.card),
        orientations={
            str(Partition.VALIDATION): _by_orientation(model.validation, model.card),
            str(Partition.TEST): _by_orientation(test, model.card),
        },
        not_chest=_count_not_chest(pool, model, setup.watch),
        storage=_storage_loss(
            pool.partition(Partition.VALIDATION), model, setup.recipe, checkpoint
        ),
        calibration={name: _as_calibration(one) for name, one in calibration.items()},
        leave_source_out=left_out_counts(left_out),
        seeds=_compare_seeds(trained, chosen),
    )


def _upright(scores: Scores) -> Scores:
    return scores.where(scores.is_progenitor)


def _by_source(scores: Scores, card: ModelCard) -> tuple[SourceCounts, ...]:
    counted = count_by(scores, card, scores.facts["source"], views_of(scores))
    return tuple(
        SourceCounts(source=source, view=view, counts=counts)
        for (source, view), counts in counted.items()
    )


def _by_orientation(scores: Scores, card: ModelCard) -> tuple[OrientationCounts, ...]:
    """In the order of the scores."""
    counted = count_by(scores, card, scores.variants)
    return tuple(
        OrientationCounts(orientation=name, counts=counted[(name,)])
        for name in dict.fromkeys(scores.variants.tolist())
    )


def _count_training(pool: ImagePool) -> tuple[TrainingCount, ...]:
    kinds = [(label.source, str(label.view)) for label in pool.radiographs.labels]
    kinds += [(other.source, "not-chest") for other in pool.others]
    return tuple(
        TrainingCount(source=source, view=view, images=images)
        for (source, view), images in sorted(Counter(kinds).items())
    )


def _count_not_chest(
    pool: ImagePool, model: TrainedModel, watch: TrainingWatch
) -> tuple[NotChestCounts, ...] | None:
    """How many images without a chest get a view, by partition and source."""
    cutoff = model.card.chest_cutoff
    if cutoff is None:
        return None
    counts = []
    for part in (Partition.VALIDATION, Partition.TEST):
        of = pool.partition(part)
        progress = watch.counter(len(of.others), f"{part} images without a chest")
        chest = predict_chest_of_others(of, model.runtime.run, progress)
        if chest is None:
            continue
        sources = np.array([other.source for other in of.others], str)
        for source in sorted(set(sources)):
            is_called = chest[sources == source] >= cutoff
            called, images = int(is_called.sum()), len(is_called)
            interval = exact_interval(called, images)
            counts.append(
                NotChestCounts(
                    partition=str(part),
                    source=str(source),
                    images=images,
                    called_a_view=called,
                    interval_95_percent=(
                        round(100 * interval.low, 3),
                        round(100 * interval.high, 3),
                    ),
                )
            )
    return tuple(counts)


def _storage_loss(
    pool: ImagePool, model: TrainedModel, recipe: Recipe, checkpoint: Path
) -> StorageLoss:
    """Compare the model with the same weights stored as float32."""
    trained = GoogLeNet(2, auxiliary=False, chest=recipe.has_chest)
    load_weights(checkpoint, trained)
    full = to_onnx(trained, side=SIDE, temperature=model.card.temperature, is_half=False)
    pixels = pool.radiographs.pixels
    half_pfi, full_pfi = (
        Model(card=model.card, backend=backend).pfi(pixels)
        for backend in (model.runtime, OnnxRuntime(full))
    )
    cutoff = model.card.cutoff
    return StorageLoss(
        images=len(pixels),
        largest_pfi_difference_points=round(float(abs(half_pfi - full_pfi).max()), 4),
        changed_views=int(((half_pfi >= cutoff) != (full_pfi >= cutoff)).sum()),
        bytes=len(model.weights),
        bytes_float32=len(full),
    )


def _as_calibration(found: Assessment) -> Calibration:
    return Calibration(
        images=found.table.total,
        expected_calibration_error_points=round(found.calibration_error, 3),
        bins=tuple(
            CalibrationBin(
                low=one.low,
                high=one.high,
                images=one.images,
                mean_pfi=round(one.mean_pfi, 3),
                percent_frontal=round(one.percent_frontal, 3),
            )
            for one in found.reliability
        ),
    )


def _compare_seeds(trained: Mapping[int, TrainedModel], chosen: int) -> Seeds:
    """Each seed's results on validation patients, and how far two seeds' PFI differ."""
    upright = [_upright(model.validation) for model in trained.values()]
    return Seeds(
        chosen=chosen,
        chosen_by="lowest log loss over validation radiographs in sixteen orientations",
        each=tuple(_seed_result(seed, model) for seed, model in trained.items()),
        pfi_apart_points=tuple(
            points_apart(one.pfi, other.pfi)
            for k, one in enumerate(upright)
            for other in upright[k + 1 :]
        ),
    )


def _seed_result(seed: int, model: TrainedModel) -> SeedResult:
    card = model.card
    assert card.about.cutoff_range  # set by `with_cutoffs`
    return SeedResult(
        seed=seed,
        model_id=card.model_id,
        temperature=card.temperature,
        cutoff_range=card.about.cutoff_range,
        review_band=card.review_band,
        chest_cutoff=card.chest_cutoff,
        log_loss=round(log_loss(model.validation), 5),
        upright=count_decisions(_upright(model.validation), card),
        sixteen_orientations=count_decisions(model.validation, card),
    )
