"""How a recipe does where it was never trained: sources left out of a training, and asked about."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cxrview.assess.decisions import count_decisions, join_scores, log_loss, views_of
from cxrview.assess.score_files import read_scores, write_scores
from cxrview.atomic_files import writing
from cxrview.classify.model_files import read_model
from cxrview.csv_files import read_csv_rows
from cxrview.dataset.split import partition_of
from cxrview.errors import UsageError
from cxrview.records import ModelCard, Scores
from cxrview.results.tables import write_rows
from cxrview.terms import Partition
from cxrview.train.examine import asked_in_all, examine
from cxrview.train.hardware import PROCESSOR, Hardware
from cxrview.train.pool import Pool
from cxrview.train.recipes import Recipe
from cxrview.train.view_model import (
    ABOUT,
    claim_folder,
    counting,
    make_view_model,
    need_material,
)
from cxrview.train.watch import StudyWatch

SCORES, TABLE = "scores.parquet", "leave-source-out.csv"
WITHOUT = "without-"
"""Begins the name of a model that lacks one source and saw all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What a model that was trained and set by some sources says of the others."""

    name: str
    """`without-covid`, or `open-i-alone`."""
    card: ModelCard
    scores: Scores
    """As of `examine`, of every radiograph of the sources left out."""


def leave_source_out(
    pool: Pool,
    published: Path,
    recipe: Recipe,
    out: Path,
    *,
    seed: int,
    alone: Sequence[str] = (),
    hardware: Hardware = PROCESSOR,
    watch: StudyWatch | None = None,
) -> tuple[LeftOut, ...]:
    """Train a model without each source, and ask it about all radiographs of that source.

    Training and validation patients of the other sources make the model as they make one that is
    shipped; nothing of the source itself chooses anything. Stopped at any point, the same call
    goes on; a model that is done is read and not trained again.

    Args:
        pool: radiographs of at least two sources.
        published: the published GoogLeNet, .npz.
        recipe: of all of them.
        out: gets a folder for each model, with checkpoint and scores.parquet, and
            leave-source-out.csv.
        seed: of all trainings.
        alone: sources that a model is also trained on with no other, and asked about all others.
        hardware: where they train.
        watch: told how far it is.

    Returns:
        Without each source, in alphabetical order, then each source alone.

    Raises:
        UsageError: there is one source only, or none of a name, sources lack a view, or the folder
            holds another recipe, seed, or other pictures.
        InvalidModel: the published weights or a checkpoint do not fit.
    """
    if len(pool.sources) < 2:
        raise UsageError(f"there is one source only: {pool.sources[0] if pool.sources else 'none'}")
    if unknown := [source for source in alone if source not in pool.sources]:
        raise UsageError(f"there is no source {unknown[0]}", f"There are {', '.join(pool.sources)}")
    left = {f"{WITHOUT}{source}": {source} for source in pool.sources}
    left |= {f"{source}-alone": set(pool.sources) - {source} for source in alone}
    _check(pool, recipe, left)
    claim_folder(
        out,
        {"recipe": asdict(recipe), "seed": seed, "pictures_sha256": pool.lesson.sha256},
    )
    done = tuple(
        _leave_out(
            pool, sources, published, recipe, out / name, seed, hardware, watch or StudyWatch()
        )
        for name, sources in left.items()
    )
    write_rows(out / TABLE, left_out_rows(done))
    return done


def read_left_out(out: Path, recipe: Recipe, pool: Pool) -> tuple[LeftOut, ...]:
    """Read what `leave_source_out` left in a folder.

    Raises:
        UsageError: there is nothing whole, or it is of another recipe or other pictures.
        InvalidModel: a model there was altered.
    """
    try:
        about = json.loads((out / ABOUT).read_text(encoding="utf-8"))
        names = dict.fromkeys(row["model"] for row in read_csv_rows(out / TABLE))
        standing = about["recipe"], about["pictures_sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{out} does not hold a finished run of cxrview assess recipe",
            "Run that command to its end first",
        ) from error
    if standing != (json.loads(json.dumps(asdict(recipe))), pool.lesson.sha256):
        raise UsageError(
            f"{out} is of other pictures, or of another recipe than {recipe.name} as it is now"
        )
    return tuple(_read(out / name) for name in names)


def left_out_rows(done: Sequence[LeftOut]) -> list[dict[str, Any]]:
    """One row a model, source left out and view: as it lies, and over all sixteen orientations.

    `errors`, `decided` and the rest are those of `assess.decisions.count_decisions`; `log_loss`
    is over the sixteen.
    """
    rows = []
    for one in done:
        sources, views = one.scores.facts["source"], views_of(one.scores)
        for source, view in sorted(set(zip(sources, views, strict=True))):
            every = one.scores.where((sources == source) & (views == view))
            upright = count_decisions(every.where(every.is_progenitor), one.card)
            low, high = upright.pop("interval_95_percent")
            turned = count_decisions(every, one.card)
            rows.append(
                {
                    "model": one.name,
                    "left_out": str(source),
                    "view": str(view),
                    **upright,
                    "interval_low_percent": low,
                    "interval_high_percent": high,
                    "orientations": turned["images"],
                    "orientation_errors": turned["errors"],
                    "orientation_decided": turned["decided"],
                    "orientation_errors_decided": turned["errors_decided"],
                    "log_loss": round(log_loss(every), 5),
                    "model_id": one.card.model_id,
                    "cutoff": one.card.cutoff,
                }
            )
    return rows


def judging(done: Sequence[LeftOut]) -> Scores | None:
    """What may help to choose: every source by the model that lacks it alone, no test patient."""
    parts = [one.scores for one in done if one.name.startswith(WITHOUT)]
    if not parts:
        return None
    joined = join_scores(parts, "left out")
    is_test = [partition_of(str(patient)) is Partition.TEST for patient in joined.patients]
    return joined.where(~np.array(is_test, bool))


def _check(pool: Pool, recipe: Recipe, left: Mapping[str, set[str]]) -> None:
    for source in pool.sources:
        if not re.fullmatch(r"\w[\w. -]*", source):
            raise UsageError(
                f"a source called {source!r} cannot name a folder" if source else "no source named",
                "Give the labels a column source, of letters, digits, - and _",
            )
    for name, sources in left.items():
        labels = [label for label in pool.radiographs.labels if label.source not in sources]
        others = [other for other in pool.others if other.source not in sources]
        need_material(labels, others, recipe, name)


def _leave_out(
    pool: Pool,
    sources: set[str],
    published: Path,
    recipe: Recipe,
    out: Path,
    seed: int,
    hardware: Hardware,
    watch: StudyWatch,
) -> LeftOut:
    watch.stage(out.name)
    others, own = pool.without_sources(sources), pool.of_sources(sources).radiographs
    made = make_view_model(
        others, published, recipe, out, seed=seed, hardware=hardware, watch=watch
    )
    if (out / SCORES).exists():
        return _read(out)
    asked = counting(watch, asked_in_all(own), "pictures of sources left out asked about")
    scores = examine(own, made.network.run, name=made.card.model_id, progress=asked)
    with writing(out):
        write_scores(out / SCORES, [scores])
    return LeftOut(name=out.name, card=made.card, scores=scores)


def _read(folder: Path) -> LeftOut:
    card, _ = read_model(folder)
    (scores,) = read_scores(folder / SCORES)
    return LeftOut(name=folder.name, card=card, scores=scores)
