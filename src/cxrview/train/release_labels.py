"""From a labels file to a released model with its card and pages: what `cxrview train` does."""

from collections.abc import Sequence
from pathlib import Path

from cxrview.atomic_files import locked_new_folder
from cxrview.digests import file_sha256
from cxrview.records.model_card import ModelCard
from cxrview.reports.model_card import read_statements
from cxrview.train.leave_source_out import read_left_out
from cxrview.train.pool import read_pool
from cxrview.train.release import NO_STATEMENTS, check_release, release_model
from cxrview.train.release_pages import write_pages
from cxrview.train.setup import TrainingSetup
from cxrview.train.view_model import assist_view_model


def release_labels(
    labels: Path,
    setup: TrainingSetup,
    out: Path,
    *,
    seeds: Sequence[int],
    photographs: Path | None = None,
    left_out: Path | None = None,
    about: Path | None = None,
) -> ModelCard:
    """Train a model with its card and pages on the radiographs of a labels file.

    The same call resumes a run that was stopped. Of several processes (those of `setup`) the first
    makes it, and the others call `assist_release`.

    Args:
        labels: CSV with file, patient, view and source.
        setup: recipe, published weights, hardware and progress of all trainings.
        out: folder for model.onnx, card.json, test.parquet, MODEL_CARD.md, its pictures, and a
            folder for each seed.
        seeds: at least one, each once; validation patients choose one of their models.
        photographs: tar or folder, for recipes that learn what is not a chest radiograph.
        left_out: folder of `leave_source_out` with the same recipe.
        about: JSON object with what cannot be computed: licences, intended use, limits.

    Raises:
        UsageError: an input is missing or does not fit the recipe, or `out` is of something else
            or is written by another process.
        InvalidModel: the published weights or a checkpoint do not fit.
        CannotWrite: `out` cannot be written.
    """
    recipe = setup.recipe
    statements = read_statements(about) if about else NO_STATEMENTS
    pool = read_pool(
        labels,
        with_others=recipe.has_chest,
        photographs=photographs,
        progress=lambda more: setup.watch.count(more, 0, "pictures read"),
    )
    others = read_left_out(left_out, recipe, pool) if left_out else ()
    check_release(pool, recipe, seeds)
    with locked_new_folder(out, "training in"):
        shipped = release_model(
            pool,
            setup,
            out,
            seeds=seeds,
            left_out=others,
            labels_sha256=file_sha256(labels),
            statements=statements,
        )
        write_pages(shipped, pool, recipe, out)
    return shipped.card


def assist_release(
    labels: Path, setup: TrainingSetup, *, seeds: Sequence[int], photographs: Path | None = None
) -> None:
    """Compute in a further process its rows of the batches of `release_labels`; writes nothing.

    Args:
        labels: as for `release_labels`, and likewise the following.
        setup: the same, with the device of this process.
        seeds: the same.
        photographs: the same.
    """
    pool = read_pool(labels, with_others=setup.recipe.has_chest, photographs=photographs)
    for seed in seeds:
        assist_view_model(pool, setup, seed=seed)
