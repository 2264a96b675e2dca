"""Tests a recipe on sources that were left out of the training."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cxrview.assess.decisions import count_decisions, log_loss, views_of
from cxrview.assess.score_files import read_scores, write_scores
from cxrview.atomic_files import locked_new_folder, writing
from cxrview.classify.model_files import read_model
from cxrview.csv_files import read_csv_rows
from cxrview.dataset.split import partition_of
from cxrview.errors import UsageError
from cxrview.json_file import read_json
from cxrview.records.card_about import LeftOutCounts
from cxrview.records.json_object import to_json
from cxrview.records.model_card import ModelCard
from cxrview.records.scores import Scores, join_scores
from cxrview.results.tables import write_rows
from cxrview.terms import Partition
from cxrview.train.pool import ImagePool
from cxrview.train.predict_orientations import count_predictions, predict_orientations
from cxrview.train.recipes import Recipe
from cxrview.train.setup import TrainingSetup
from cxrview.train.view_model import (
    ABOUT,
    check_training_images,
    claim_folder,
    train_view_model,
)

SCORES, TABLE = "scores.parquet", "leave-source-out.csv"
WITHOUT = "without-"
"""Begins the name of a model that was trained on all sources but one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutResult:
    """A model that was trained on some sources, and its PFI of the others."""

    name: str
    """`without-covid`, or `open-i-alone`."""
    card: ModelCard
    scores: Scores
    """As of `predict_orientations`, of every radiograph of the sources left out."""


def leave_source_out(
    pool: ImagePool,
    setup: TrainingSetup,
    out: Path,
    *,
    seed: int,
    alone: Sequence[str] = (),
) -> tuple[LeftOutResult, ...]:
    """Train a model without each source, and run it on all radiographs of that source.

    The model is made from training and validation patients of the other sources, in the same way
    as the shipped one; the source itself decides nothing. If it is stopped, the same call resumes;
    a finished model is read and not trained again.

    Args:
        pool: radiographs of at least two sources.
        setup: recipe, published weights, hardware and progress of all trainings.
        out: gets a folder for each model, with checkpoint and scores.parquet, and
            leave-source-out.csv.
        seed: of all trainings.
        alone: sources on which another model is trained alone, and run on all others.

    Returns:
        The models without each source, in alphabetical order, then those of each source alone.

    Raises:
        UsageError: there is only one source, or a named one does not exist; sources lack a view;
            or the folder belongs to another recipe, seed or other images, or another process is
            writing it.
        InvalidModel: the published weights or a checkpoint do not fit.
    """
    if len(pool.sources) < 2:
        raise UsageError(
            f"there are not two sources: {pool.sources[0] if pool.sources else 'none'}"
        )
    if unknown := [source for source in alone if source not in pool.sources]:
        raise UsageError(
            f"source {unknown[0]} does not exist", f"Choose from {', '.join(pool.sources)}"
        )
    left = {f"{WITHOUT}{source}": {source} for source in pool.sources}
    left |= {f"{source}-alone": set(pool.sources) - {source} for source in alone}
    _check(pool, setup.recipe, left)
    about = {
        "recipe": asdict(setup.recipe),
        "seed": seed,
        "pictures_sha256": pool.training_images.sha256,
    }
    with locked_new_folder(out, "training in"):
        claim_folder(out, about)
        results = tuple(
            _leave_out(pool, sources, setup, out / name, seed) for name, sources in left.items()
        )
        write_rows(out / TABLE, [to_json(row) for row in left_out_counts(results)])
    return results


def read_left_out(out: Path, recipe: Recipe, pool: ImagePool) -> tuple[LeftOutResult, ...]:
    """Read the result of `leave_source_out`.

    Raises:
        UsageError: the result is missing or incomplete, or of another recipe or other images.
        InvalidModel: a model was altered.
    """
    try:
        about = read_json(out / ABOUT)
        names = dict.fromkeys(row["model"] for row in read_csv_rows(out / TABLE))
        found = about["recipe"], about["pictures_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{out} has no complete result of cxrview assess recipe",
            "Run that command to completion first",
        ) from error
    if found != (json.loads(json.dumps(asdict(recipe))), pool.training_images.sha256):
        raise UsageError(
            f"{out} was made from other images, or with another version of recipe {recipe.name}"
        )
    return tuple(_read(out / name) for name in names)


def left_out_counts(results: Sequence[LeftOutResult]) -> tuple[LeftOutCounts, ...]:
    """Count decisions per model, source left out and view: upright, and in all orientations."""
    rows = []
    for one in results:
        sources, views = one.scores.facts["source"], views_of(one.scores)
        for source, view in sorted(set(zip(sources, views, strict=True))):
            every = one.scores.where((sources == source) & (views == view))
            upright = count_decisions(every.where(every.is_progenitor), one.card)
            low, high = upright.interval_95_percent
            turned = count_decisions(every, one.card)
            rows.append(
                LeftOutCounts(
                    model=one.name,
                    left_out=str(source),
                    view=str(view),
                    images=upright.images,
                    errors=upright.errors,
                    accuracy_percent=upright.accuracy_percent,
                    decided=upright.decided,
                    errors_decided=upright.errors_decided,
                    refused=upright.refused,
                    interval_low_percent=low,
                    interval_high_percent=high,
                    orientations=turned.images,
                    orientation_errors=turned.errors,
                    orientation_decided=turned.decided,
                    orientation_errors_decided=turned.errors_decided,
                    log_loss=round(log_loss(every), 5),
                    model_id=one.card.model_id,
                    cutoff=one.card.cutoff,
                )
            )
    return tuple(rows)


def unseen_scores(results: Sequence[LeftOutResult]) -> Scores | None:
    """Join the scores of each source by the model that lacks only it, without test patients.

    These may be used to choose cutoffs. None if no model lacks a single source.
    """
    parts = [one.scores for one in results if one.name.startswith(WITHOUT)]
    if not parts:
        return None
    joined = join_scores(parts, "left out")
    is_test = [partition_of(str(patient)) is Partition.TEST for patient in joined.patients]
    return joined.where(~np.array(is_test, bool))


def _check(pool: ImagePool, recipe: Recipe, left: Mapping[str, set[str]]) -> None:
    for source in pool.sources:
        if not re.fullmatch(r"\w[\w. -]*", source):
            raise UsageError(
                f"source {source!r} cannot name a folder" if source else "a source has no name",
                "Give the labels a column source with names of letters, digits, - and _",
            )
    for name, sources in left.items():
        labels = [label for label in pool.radiographs.labels if label.source not in sources]
        others = [other for other in pool.others if other.source not in sources]
        check_training_images(labels, others, recipe, name)


def _leave_out(
    pool: ImagePool, sources: set[str], setup: TrainingSetup, out: Path, seed: int
) -> LeftOutResult:
    setup.watch.stage(out.name)
    others, own = pool.without_sources(sources), pool.of_sources(sources).radiographs
    made = train_view_model(others, setup, out, seed=seed)
    if (out / SCORES).exists():
        return _read(out)
    progress = setup.watch.counter(count_predictions(own), "images of sources left out")
    scores = predict_orientations(own, made.runtime.run, name=made.card.model_id, progress=progress)
    with writing(out):
        write_scores(out / SCORES, [scores])
    return LeftOutResult(name=out.name, card=made.card, scores=scores)


def _read(folder: Path) -> LeftOutResult:
    card, _ = read_model(folder)
    (scores,) = read_scores(folder / SCORES)
    return LeftOutResult(name=folder.name, card=card, scores=scores)
