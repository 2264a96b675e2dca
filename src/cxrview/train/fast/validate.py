"""Counts the errors of a fast model on patients and sources that it was not trained on."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.callbacks import ignore
from cxrview.classify.straighten import run_straightened
from cxrview.dataset.augment.poses import ORIENTATIONS, pose_of_orientation
from cxrview.errors import UsageError
from cxrview.records.answers import Answers, PoseAnswers, join_answers
from cxrview.records.scores import PROGENITOR_NAME
from cxrview.terms import Partition, Projection, View
from cxrview.train.fast.pictures import Pictures

Run = Callable[[NDArray[np.uint8]], Answers]
"""Runs a model on pictures, shape (n, 256, 256), uint8."""
NARROW, WIDE = (10.0, 90.0), (5.0, 95.0)
"""Percent of PFI; images between are not decided."""
MOST_REFUSED = 0.0005
"""Share of radiographs that the stricter cutoff of `chest` may refuse."""
SUREST = 0.7
"""Share of the radiographs whose projection is counted as decided, the surest first."""
MOST_WRONG = 0.02
"""Share of errors among decided projections that is aimed at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewCounts:
    """Errors of the view in one group of radiographs; each pair is decided and wrong."""

    group: str
    """Source and view, or a pose."""
    pictures: int
    errors: int
    """At a cutoff of 50 %."""
    decided_10_90: int
    errors_10_90: int
    decided_5_95: int
    errors_5_95: int
    turn_errors: int
    """Quarter turns that are wrong."""
    mirrored_errors: int
    """Of the frontal radiographs, at a cutoff of 50 %."""
    frontals: int
    inverted_errors: int
    """At a cutoff of 50 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChestCounts:
    """What a cutoff of `chest` refuses in one group."""

    group: str
    pictures: int
    refused_at_50: int
    refused_at_strict: int
    """At the highest cutoff that refuses at most MOST_REFUSED of the radiographs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionCounts:
    """Errors of the projection in one source."""

    source: str
    is_trained: bool
    """Whether the projection was trained on other patients of this source."""
    ap: int
    pa: int
    ap_errors: int
    """At a cutoff of 50 %, as `pa_errors`."""
    pa_errors: int
    surest: int
    """SUREST of all, by the distance from 50 %."""
    surest_errors: int
    decided_at_aim: int
    """The most radiographs, the surest first, of which at most MOST_WRONG are wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Counts of one model."""

    views: tuple[ViewCounts, ...]
    """Upright, by source and view."""
    poses: tuple[ViewCounts, ...]
    """All radiographs, by orientation and inversion."""
    chest_cutoff_strict: float
    """Percent."""
    chest: tuple[ChestCounts, ...]
    """Upright, by source and whether it is a chest radiograph."""
    projections: tuple[ProjectionCounts, ...]
    """Upright frontals with a known projection, by source."""


def validate(
    pictures: Pictures,
    run: Run,
    *,
    without: Collection[str] = (),
    progress: Callable[[int], None] = ignore,
) -> Validation:
    """Run a model on test patients, and on all pictures of the sources left out.

    Args:
        pictures: all; those that the model was trained on are not used.
        run: the model.
        without: sources that were left out of the training.
        progress: called with how many more pictures the model was run on.

    Raises:
        UsageError: no radiograph is of a test patient, or of a source left out.
    """
    is_left_out = np.isin(pictures.sources, list(without))
    chosen = np.flatnonzero(pictures.is_in(Partition.TEST) | is_left_out)
    kinds, sources = pictures.kinds()[chosen], pictures.sources[chosen]
    is_chest = kinds != "not-chest"
    need_radiographs(int(is_chest.sum()))
    upright = _run(run, pictures.pixels, chosen, PROGENITOR_NAME, progress)
    groups = np.char.add(np.char.add(sources, " "), kinds)
    is_frontal = kinds == str(View.FRONTAL)
    views = [
        _count_views(str(group), _where(upright, groups == group), is_frontal[groups == group])
        for group in np.unique(groups[is_chest])
    ]
    poses = []
    for name in ORIENTATIONS:
        answers = _run(run, pictures.pixels, chosen[is_chest], name, progress)
        poses.append(_count_views(name, answers, is_frontal[is_chest], name))
    chest = upright.chest
    assert chest is not None
    strict = chest_cutoff(chest[is_chest])
    return Validation(
        views=tuple(views),
        poses=tuple(poses),
        chest_cutoff_strict=strict,
        chest=_count_chests(chest, sources, is_chest, strict),
        projections=_count_projections(pictures, run, without, progress),
    )


def need_radiographs(count: int) -> None:
    """Check that there are radiographs of test patients.

    Raises:
        UsageError: there are none.
    """
    if not count:
        raise UsageError(
            "the test patients have no radiograph, so that there is nothing to count",
            "Prepare pictures of more patients: a tenth of them are test patients",
        )


def chest_cutoff(chest: NDArray[np.float64]) -> float:
    """Find the highest cutoff that refuses at most MOST_REFUSED of radiographs.

    Args:
        chest: shape (n,), of radiographs, percent; n at least 1.
    """
    return float(np.quantile(chest, MOST_REFUSED, method="lower"))


def most_decided(margin: NDArray[np.float64], is_wrong: NDArray[np.bool_]) -> int:
    """Count the most pictures, the surest first, of which at most MOST_WRONG are wrong.

    Equally sure pictures are counted all or none, since no threshold divides them.

    Args:
        margin: shape (n,), how sure the model is of each.
        is_wrong: shape (n,).
    """
    order = np.argsort(-margin, kind="stable")
    share = np.cumsum(is_wrong[order]) / np.arange(1, len(order) + 1)
    is_last_of_equals = np.diff(margin[order], append=-np.inf) != 0
    allowed = np.flatnonzero((share <= MOST_WRONG) & is_last_of_equals)
    return int(allowed[-1]) + 1 if len(allowed) else 0


def _run(
    run: Run,
    pixels: NDArray[np.uint8],
    rows: NDArray[np.intp],
    orientation: str,
    progress: Callable[[int], None],
) -> Answers:
    turn = ORIENTATIONS[orientation]
    parts = []
    for start in range(0, len(rows), 64):  # a turned copy of all would not fit into memory
        parts.append(run_straightened(run, turn(np.asarray(pixels[rows[start : start + 64]]))))
        progress(len(parts[-1].pfi))
    return join_answers(parts)


def _where(answers: Answers, chosen: NDArray[np.bool_]) -> Answers:
    return Answers(
        pfi=answers.pfi[chosen],
        chest=None if answers.chest is None else answers.chest[chosen],
        pose=None if answers.pose is None else answers.pose.where(chosen),
    )


def _pose_of(answers: Answers) -> PoseAnswers:
    assert answers.pose is not None
    return answers.pose


def _count_views(
    group: str,
    answers: Answers,
    is_frontal: NDArray[np.bool_],
    orientation: str = PROGENITOR_NAME,
) -> ViewCounts:
    pose = _pose_of(answers)
    is_wrong = (answers.pfi >= 50) != is_frontal
    narrow, wide = ((answers.pfi < low) | (answers.pfi > high) for low, high in (NARROW, WIDE))
    truth = pose_of_orientation(orientation)
    is_mirrored_wrong = is_frontal & ((pose.mirrored >= 50) != truth.is_mirrored)
    return ViewCounts(
        group=group,
        pictures=len(is_wrong),
        errors=int(is_wrong.sum()),
        decided_10_90=int(narrow.sum()),
        errors_10_90=int((is_wrong & narrow).sum()),
        decided_5_95=int(wide.sum()),
        errors_5_95=int((is_wrong & wide).sum()),
        turn_errors=int((pose.turns.argmax(axis=1) != truth.quarter_turns).sum()),
        mirrored_errors=int(is_mirrored_wrong.sum()),
        frontals=int(is_frontal.sum()),
        inverted_errors=int(((pose.inverted >= 50) != truth.is_inverted).sum()),
    )


def _count_chests(
    chest: NDArray[np.float64],
    sources: NDArray[np.str_],
    is_chest: NDArray[np.bool_],
    strict: float,
) -> tuple[ChestCounts, ...]:
    counts = []
    for is_radiograph in (True, False):
        for source in np.unique(sources[is_chest == is_radiograph]):
            of = chest[(sources == source) & (is_chest == is_radiograph)]
            counts.append(
                ChestCounts(
                    group=f"{source} {'radiographs' if is_radiograph else 'not-chest'}",
                    pictures=len(of),
                    refused_at_50=int((of < 50).sum()),
                    refused_at_strict=int((of < strict).sum()),
                )
            )
    return tuple(counts)


def _count_projections(
    pictures: Pictures, run: Run, without: Collection[str], progress: Callable[[int], None]
) -> tuple[ProjectionCounts, ...]:
    """Count test patients of sources that were trained on, and all images of the others."""
    known, sources = pictures.projections(), pictures.sources
    counts = []
    for source in np.unique(sources[known != ""]):
        of = (sources == source) & (known != "")
        # A source with one of the two is not sampled: see `batch`.
        trained_on = set(known[of & pictures.is_in(Partition.TRAINING)])
        is_trained = len(trained_on) == 2 and source not in without
        rows = np.flatnonzero(of & pictures.is_in(Partition.TEST) if is_trained else of)
        if len(rows):
            answers = _run(run, pictures.pixels, rows, PROGENITOR_NAME, progress)
            is_ap = known[rows] == str(Projection.AP)
            counts.append(
                _count_source(str(source), is_trained, is_ap, _pose_of(answers).projection_ap)
            )
    return tuple(counts)


def _count_source(
    source: str, is_trained: bool, is_ap: NDArray[np.bool_], projection_ap: NDArray[np.float64]
) -> ProjectionCounts:
    is_wrong = (projection_ap >= 50) != is_ap
    margin = np.abs(projection_ap - 50)
    surest = round(SUREST * len(margin))
    first = np.argsort(-margin, kind="stable")[:surest]
    return ProjectionCounts(
        source=source,
        is_trained=is_trained,
        ap=int(is_ap.sum()),
        pa=int((~is_ap).sum()),
        ap_errors=int((is_wrong & is_ap).sum()),
        pa_errors=int((is_wrong & ~is_ap).sum()),
        surest=surest,
        surest_errors=int(is_wrong[first].sum()),
        decided_at_aim=most_decided(margin, is_wrong),
    )
