"""The model that ships: trained with several seeds by one recipe, chosen, tested and described."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrview.assess.accuracy import assess_pfi
from cxrview.assess.decisions import log_loss
from cxrview.assess.score_files import write_scores
from cxrview.atomic_files import writing
from cxrview.classify.model_files import CARD_NAME, read_card, write_model
from cxrview.errors import UsageError
from cxrview.records.card_about import CardStatements
from cxrview.records.evaluation import Assessment
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores
from cxrview.terms import Partition
from cxrview.train.callbacks import TrainingWatch
from cxrview.train.leave_source_out import LeftOutResult, unseen_scores
from cxrview.train.pool import ImagePool
from cxrview.train.predict_orientations import count_predictions, predict_orientations
from cxrview.train.recipes import Recipe
from cxrview.train.release_card import describe_release
from cxrview.train.setup import TrainingSetup
from cxrview.train.view_model import (
    CHECKPOINT_NAME,
    TrainedModel,
    check_training_images,
    train_view_model,
)

TEST = "test.parquet"
NO_STATEMENTS = CardStatements()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedModel:
    """The chosen model, and the calibration that its page shows."""

    card: ModelCard
    calibration: Mapping[str, Assessment]
    """In sixteen orientations: of test patients, which no temperature was fitted to, and of sources
    left out, by the models that had not seen them."""


def release_model(
    pool: ImagePool,
    setup: TrainingSetup,
    out: Path,
    *,
    seeds: Sequence[int],
    left_out: Sequence[LeftOutResult],
    labels_sha256: str,
    statements: CardStatements = NO_STATEMENTS,
) -> ReleasedModel:
    """Train with each seed, choose by validation patients, and test on test patients once.

    The model with the lowest log loss over validation radiographs in all orientations is chosen:
    the seeds have too few errors to be compared by them.

    Args:
        pool: of all sources.
        setup: recipe, published weights, hardware and progress of all trainings.
        out: gets model.onnx, card.json and test.parquet, and a folder for each seed.
        seeds: at least one, each once.
        left_out: of the same recipe, for the review band, the cutoff of `chest` and the card.
        labels_sha256: of the labels file.
        statements: what the card says besides what is computed.

    Raises:
        UsageError: a view is missing, no radiograph is of a test patient, or a folder belongs to
            another training or has a model of other labels.
        InvalidModel: the published weights or a checkpoint do not fit.
    """
    check_release(pool, setup.recipe, seeds)
    _refuse_other_labels(out, labels_sha256)
    unseen = unseen_scores(left_out)
    trained = _train_each(pool, setup, out, seeds, unseen)
    chosen = min(trained, key=lambda seed: log_loss(trained[seed].validation))
    setup.watch.stage(f"seed {chosen}, chosen")
    model = trained[chosen]
    test = _score_test(pool.partition(Partition.TEST), model, setup.watch)
    calibration = _calibration(test, unseen, model.card.cutoff)
    about = describe_release(
        pool,
        setup,
        trained,
        chosen,
        test=test,
        checkpoint=_seed_folder(out, chosen) / CHECKPOINT_NAME,
        calibration=calibration,
        left_out=left_out,
    )
    about = dataclasses.replace(about, labels_sha256=labels_sha256, statements=statements)
    card = dataclasses.replace(model.card, about=about)
    with writing(out):
        write_model(out, card, model.weights)
        write_scores(out / TEST, [test])
    return ReleasedModel(card=card, calibration=calibration)


def check_release(pool: ImagePool, recipe: Recipe, seeds: Sequence[int]) -> None:
    """Check what `release_model` needs, before anything is written.

    Raises:
        UsageError: a view or another part of the recipe is missing, no radiograph is of a test
            patient, or a seed is not named once.
    """
    if not any(label.partition is Partition.TEST for label in pool.radiographs.labels):
        raise UsageError(
            "the labels, test patients: no radiograph, and the model is tested on these",
            "Label more patients: a fifth of them are test patients",
        )
    if not seeds or len(set(seeds)) != len(seeds):
        raise UsageError(f"seeds are numbers, each once; got {list(seeds)}")
    check_training_images(pool.radiographs.labels, pool.others, recipe, "the labels")


def _refuse_other_labels(out: Path, labels_sha256: str) -> None:
    """Keep a finished model, whatever seeds it was trained with, from being replaced unnoticed."""
    if not (out / CARD_NAME).is_file():
        return
    if read_card(out).about.labels_sha256 != labels_sha256:
        raise UsageError(
            f"{out} has a model that was trained on other labels", "Give another folder to --out"
        )


def _train_each(
    pool: ImagePool, setup: TrainingSetup, out: Path, seeds: Sequence[int], unseen: Scores | None
) -> dict[int, TrainedModel]:
    trained = {}
    for seed in seeds:
        setup.watch.stage(f"seed {seed}")
        trained[seed] = train_view_model(
            pool, setup, _seed_folder(out, seed), seed=seed, left_out=unseen
        )
    return trained


def _seed_folder(out: Path, seed: int) -> Path:
    return out / f"seed-{seed}"


def _score_test(pool: ImagePool, model: TrainedModel, watch: TrainingWatch) -> Scores:
    total = count_predictions(pool.radiographs, max_turned=None)
    return predict_orientations(
        pool.radiographs,
        model.runtime.run,
        name=model.card.model_id,
        max_turned=None,
        progress=watch.counter(total, "test images"),
    )


def _calibration(test: Scores, unseen: Scores | None, cutoff: float) -> dict[str, Assessment]:
    sets = {"test patients": test, "sources left out": unseen}
    return {
        name: assess_pfi(scores.pfi, scores.is_frontal, cutoff=cutoff)
        for name, scores in sets.items()
        if scores is not None
    }
