"""Assess a model and older classifiers on test images: scores, then tables and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cxrview.assess.cascade import cascade_conditions
from cxrview.assess.classifiers import TEST, VALIDATION, assess_scores
from cxrview.assess.images import AssessmentImages
from cxrview.assess.pose_files import POSES, SetPoses, compute_poses, read_poses, write_poses
from cxrview.assess.remarks import assessment_remarks
from cxrview.assess.score import Watch, score_images
from cxrview.assess.score_files import read_scores, write_scores
from cxrview.assess.tables import write_assessment
from cxrview.atomic_files import PART
from cxrview.classify.model import Model
from cxrview.digests import file_sha256
from cxrview.errors import CannotWrite, UsageError
from cxrview.json_file import read_json, write_json
from cxrview.records.evaluation import Assessed
from cxrview.records.scores import Scores

__all__ = [
    *("AssessmentRun", "assess_model", "assess_poses", "assess_scores"),
    *("compute_scores", "headline"),
]

SCORES, ABOUT = "scores.parquet", "about.json"
_KIND, _FORMAT = "assessment", 1
_COMPLETE, _COMPLETE_POSES = "scores_sha256", "poses"
_SECOND = "second_model"
"""A condition of two models together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRun:
    """Result of an assessment, in memory."""

    scores: tuple[Scores, ...]
    """Scores of each classifier, the model first; see `score_images`."""
    assessed: tuple[Assessed, ...]
    """Results by every rule; `headline` selects those of one."""
    remarks: tuple[str, ...]
    """Remarks that a reader of the numbers must know."""
    poses: tuple[SetPoses, ...] = ()
    """Counts of the answers on the pose, by test set; none of a model without them."""


def assess_model(
    images: AssessmentImages,
    model: Model,
    out: Path,
    *,
    name: str | None = None,
    cutoff_from: str = VALIDATION,
    baselines: bool = True,
    seed: int = 0,
    overwrite: bool = False,
    note: str = "",
    watch: Watch = lambda done: None,
) -> AssessmentRun:
    """Compute scores and counts, and write all files of an assessment into a folder.

    The same call resumes a run that was stopped and ends with the same bytes; complete scores
    are read and not computed again, also for another `cutoff_from`.

    Args:
        images: of `choose_images`.
        model: the model. The scale of its training, by its card, is in every table and above every
            figure.
        out: folder; new, empty, or holding an assessment of the same model and images.
        name: of the model in the tables; None for its model id.
        cutoff_from: `validation` images, or `test` images as in the paper: their cutoff is the
            headline and determines the listed errors. Both are always counted.
        baselines: also assess the older classifiers and the header.
        seed: of Boone's initial weights, and of the examples of Fig 4.
        overwrite: replace an assessment of another model or of other images.
        note: text above radiographs in figures, such as "drawn phantoms, no patient".
        watch: called with the number of images that a classifier has done since the last call.

    Raises:
        UsageError: `out` holds other files, or as `score_images`.
        CannotWrite: `out` cannot be written.
    """
    from cxrview.assess.figures import write_figures  # imports matplotlib, which is slow

    if cutoff_from not in (VALIDATION, TEST):
        raise UsageError(f"the cutoff is from validation or test images; got {cutoff_from}")
    scores = compute_scores(
        images,
        model,
        out,
        name=name,
        baselines=baselines,
        seed=seed,
        overwrite=overwrite,
        watch=watch,
    )
    scale = model.card.about.scale or ""
    poses = (
        assess_poses(images, model, out, name=name, watch=watch) if model.card.thresholds else ()
    )
    run = AssessmentRun(
        scores=scores,
        poses=poses,
        assessed=assess_scores(scores),
        remarks=assessment_remarks(
            images, model.card, scores, baselines=baselines, second=model.second_card
        ),
    )
    about = _conditions(images, model, name, baselines, seed) | {"cutoff_from": cutoff_from}
    shown = headline(run.assessed, cutoff_from)
    write_assessment(
        out, run.scores, run.assessed, shown, about, run.remarks, scale=scale, poses=poses
    )
    write_figures(out, images, scores[0], shown, seed=seed, note=note, scale=scale)
    return run


def compute_scores(
    images: AssessmentImages,
    model: Model,
    out: Path,
    *,
    name: str | None = None,
    baselines: bool = True,
    seed: int = 0,
    overwrite: bool = False,
    watch: Watch = lambda done: None,
) -> tuple[Scores, ...]:
    """Write `scores.parquet` into a folder, or read an existing complete one.

    `about.json` beside it holds hashes of the inputs and of the file; the scores are computed
    again unless all of them agree.

    Args, Raises: as `assess_model`.
    """
    conditions = _conditions(images, model, name, baselines, seed)
    about_before = _read_about(out, conditions, overwrite=overwrite)
    path = out / SCORES
    if not (about_before and _has_sha256(path, about_before.get(_COMPLETE))):
        try:
            out.mkdir(parents=True, exist_ok=True)
            write_json(out / ABOUT, conditions)
            write_scores(
                path,
                score_images(images, model, name=name, baselines=baselines, seed=seed, watch=watch),
            )
            write_json(out / ABOUT, {**conditions, _COMPLETE: file_sha256(path)})
        except OSError as error:
            raise CannotWrite(f"{out} cannot be written: {error.strerror}") from error
    return read_scores(path)


def assess_poses(
    images: AssessmentImages,
    model: Model,
    out: Path,
    *,
    name: str | None = None,
    watch: Watch = lambda done: None,
) -> tuple[SetPoses, ...]:
    """Write `pose.csv` into a folder, or read an existing complete one.

    `about.json` holds its hash and the thresholds; it is computed again unless both agree.

    Args:
        images: as for `assess_model`.
        model: with thresholds on its card.
        out: folder of `compute_scores`, of the same images and model.
        name: as for `assess_model`.
        watch: called with how many more pictures the model was run on.

    Raises:
        CannotWrite: `out` cannot be written.
        ValueError: the model has no answers on the pose.
    """
    path, about = out / POSES, read_json(out / ABOUT)
    thresholds = dict(sorted(model.card.thresholds.items()))
    before = about.get(_COMPLETE_POSES) or {}
    if before.get("thresholds") == thresholds and _has_sha256(path, before.get("sha256")):
        return read_poses(path)
    poses = compute_poses(images, model, watch)
    classifier, scale = name or model.card.model_id, model.card.about.scale or ""
    write_poses(path, poses, thresholds, classifier=classifier, scale=scale)
    complete = {"thresholds": thresholds, "sha256": file_sha256(path)}
    try:
        write_json(out / ABOUT, {**about, _COMPLETE_POSES: complete})
    except OSError as error:
        raise CannotWrite(f"{out} cannot be written: {error.strerror}") from error
    return poses


def headline(assessed: Sequence[Assessed], cutoff_from: str) -> tuple[Assessed, ...]:
    """Return the rows whose cutoff is from these images, and those without a cutoff."""
    return tuple(row for row in assessed if row.cutoff_from in (cutoff_from, ""))


def _conditions(
    images: AssessmentImages, model: Model, name: str | None, baselines: bool, seed: int
) -> dict[str, Any]:
    """Return everything that the scores depend on, by name."""
    shown = (*((images.training,) if baselines else ()), *images.scored)
    return {
        "kind": _KIND,
        "format": _FORMAT,
        "version": version("cxrview"),
        "network": name or model.card.model_id,
        "weights_sha256": model.card.weights_sha256,
        **({_SECOND: second} if (second := cascade_conditions(model)) else {}),
        "baselines": baselines,
        "seed": seed,
        **{f"{one.name}_images": len(one) for one in shown},
        **{f"{one.name}_sha256": one.sha256 for one in shown},
    }


def _read_about(
    out: Path, conditions: Mapping[str, Any], *, overwrite: bool
) -> dict[str, Any] | None:
    """Return `about.json` of an earlier run that can be resumed; None if there is none."""
    path = out / ABOUT
    if not path.is_file():
        if out.is_dir() and {p.name for p in out.iterdir()} - {ABOUT + PART}:
            raise UsageError(f"{out} holds other files, not an assessment", "Name a new folder")
        return None
    try:
        about_before = read_json(path)
    except (OSError, ValueError, TypeError):
        about_before = {}
    if about_before.get("kind") != _KIND:
        raise UsageError(f"{path} does not belong to an assessment", "Name a new folder")
    names = dict.fromkeys([*conditions, *({_SECOND} & about_before.keys())])
    changed = [name for name in names if about_before.get(name) != conditions.get(name)]
    if not changed:
        return about_before
    if not overwrite:
        raise UsageError(
            f"{out} holds another assessment: {', '.join(changed)} changed",
            "Name a new folder, or replace it with --overwrite",
        )
    return None


def _has_sha256(path: Path, sha256: object) -> bool:
    """Whether a file exists and has the hash that `about.json` holds."""
    return path.is_file() and sha256 == file_sha256(path)
