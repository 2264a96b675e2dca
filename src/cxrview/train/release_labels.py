"""From a labels file to a released model with its card and pages: what `cxrview train` does."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxrview.errors import UsageError
from cxrview.records import ModelCard
from cxrview.train.hardware import PROCESSOR, Hardware
from cxrview.train.leave_source_out import read_left_out
from cxrview.train.pool import read_pool
from cxrview.train.recipes import Recipe
from cxrview.train.release import make_shipped_model
from cxrview.train.release_pages import write_pages
from cxrview.train.watch import StudyWatch


def release_labels(
    labels: Path,
    published: Path,
    recipe: Recipe,
    out: Path,
    *,
    seeds: Sequence[int],
    photographs: Path | None = None,
    left_out: Path | None = None,
    about: Path | None = None,
    hardware: Hardware = PROCESSOR,
    watch: StudyWatch | None = None,
) -> ModelCard:
    """Train a model with its card and pages on the radiographs of a labels file.

    The same call resumes a run that was stopped.

    Args:
        labels: CSV with file, patient, view and source.
        published: the published GoogLeNet, .npz.
        recipe: of all trainings.
        out: folder for model.onnx, card.json, test.parquet, MODEL_CARD.md, its pictures, and a
            folder for each seed.
        seeds: at least one, each once; validation patients choose one of their models.
        photographs: tar or folder, for recipes that learn what is not a chest radiograph.
        left_out: folder of `leave_source_out` with the same recipe.
        about: JSON object with what cannot be computed: licences, intended use, limits.
        hardware: where it trains.
        watch: called with the progress.

    Raises:
        UsageError: an input is missing or does not fit the recipe, or `out` is of something else.
        InvalidModel: the published weights or a checkpoint do not fit.
        CannotWrite: `out` cannot be written.
    """
    stated = {} if about is None else read_about(about)
    watch = watch or StudyWatch()
    pool = read_pool(
        labels,
        with_others=recipe.has_chest,
        photographs=photographs,
        progress=lambda more: watch.count(more, 0, "pictures read"),
    )
    shipped = make_shipped_model(
        pool,
        published,
        recipe,
        out,
        seeds=seeds,
        left_out=read_left_out(left_out, recipe, pool) if left_out else (),
        labels_sha256=hashlib.sha256(labels.read_bytes()).hexdigest(),
        about=stated,
        hardware=hardware,
        watch=watch,
    )
    write_pages(shipped, pool, recipe, out)
    return shipped.card


def read_about(path: Path) -> dict[str, Any]:
    """What a person states about a model, for its card.

    Raises:
        UsageError: the file cannot be read or is not a JSON object.
    """
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON") from error
    if not isinstance(stated, dict):
        raise UsageError(f"{path} is not a JSON object")
    return stated
