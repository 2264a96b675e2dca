"""Counts the errors of a fast model on patients and sources that it was not trained on."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.callbacks import ignore
from cxrview.dataset.augment.poses import INVERTED, ORIENTATIONS
from cxrview.records.scores import PROGENITOR_NAME, Answers
from cxrview.terms import Projection, View
from cxrview.train.fast.answers import FastAnswers
from cxrview.train.fast.cascade import Border
from cxrview.train.fast.pictures import Pictures

Run = Callable[[NDArray[np.uint8]], FastAnswers]
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
class CascadeCounts:
    """What a cascade decides in one group of upright radiographs, with the teacher behind."""

    group: str
    """Source and view."""
    pictures: int
    fast: int
    """Decided by the fast model: PFI outside of WIDE, `chest` at least 50 %."""
    fast_errors: int
    teacher_errors: int
    """Of the others, by the teacher at a cutoff of 50 %."""


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
    cascade: tuple[CascadeCounts, ...]
    """Upright radiographs, by source and view."""


def validate(
    pictures: Pictures,
    run: Run,
    *,
    without: Collection[str] = (),
    progress: Callable[[int], None] = ignore,
) -> Validation:
    """Run a model on held-out patients, and on all pictures of the sources left out.

    Args:
        pictures: all; those that the model was trained on are not used.
        run: the model.
        without: sources that were left out of the training.
        progress: called with how many more pictures the model was run on.

    Raises:
        ValueError: no radiograph is held out.
    """
    chosen = np.flatnonzero(pictures.is_held_out | np.isin(pictures.sources, list(without)))
    kinds, sources = pictures.kinds()[chosen], pictures.sources[chosen]
    is_chest = kinds != "not-chest"
    if not is_chest.any():
        raise ValueError("no radiograph is held out")
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
    strict = chest_cutoff(upright.chest[is_chest])
    return Validation(
        views=tuple(views),
        poses=tuple(poses),
        chest_cutoff_strict=strict,
        chest=_count_chests(upright.chest, sources, is_chest, strict),
        projections=_count_projections(pictures, run, without, progress),
        cascade=_count_cascade(upright, pictures.teacher.pfi[chosen], groups, kinds),
    )


def chest_cutoff(chest: NDArray[np.float64]) -> float:
    """Find the highest cutoff that refuses at most MOST_REFUSED of radiographs.

    Args:
        chest: shape (n,), of radiographs, percent; n at least 1.
    """
    return float(np.quantile(chest, MOST_REFUSED, method="lower"))


def most_decided(margin: NDArray[np.float64], is_wrong: NDArray[np.bool_]) -> int:
    """Count the most pictures, the surest first, of which at most MOST_WRONG are wrong.

    Args:
        margin: shape (n,), how sure the model is of each.
        is_wrong: shape (n,).
    """
    order = np.argsort(-margin, kind="stable")
    share = np.cumsum(is_wrong[order]) / np.arange(1, len(order) + 1)
    allowed = np.flatnonzero(share <= MOST_WRONG)
    return int(allowed[-1]) + 1 if len(allowed) else 0


def _run(
    run: Run,
    pixels: NDArray[np.uint8],
    rows: NDArray[np.intp],
    orientation: str,
    progress: Callable[[int], None],
) -> FastAnswers:
    turn = ORIENTATIONS[orientation]
    parts = []
    for start in range(0, len(rows), 64):  # a turned copy of all would not fit into memory
        parts.append(run(turn(np.asarray(pixels[rows[start : start + 64]]))))
        progress(len(parts[-1].pfi))
    return FastAnswers(
        pfi=np.concatenate([part.pfi for part in parts]),
        chest=np.concatenate([part.chest for part in parts]),
        turn=np.concatenate([part.turn for part in parts]),
        inverted=np.concatenate([part.inverted for part in parts]),
        projection_ap=np.concatenate([part.projection_ap for part in parts]),
    )


def _where(answers: FastAnswers, chosen: NDArray[np.bool_]) -> FastAnswers:
    return FastAnswers(
        pfi=answers.pfi[chosen],
        chest=answers.chest[chosen],
        turn=answers.turn[chosen],
        inverted=answers.inverted[chosen],
        projection_ap=answers.projection_ap[chosen],
    )


def _count_views(
    group: str,
    answers: FastAnswers,
    is_frontal: NDArray[np.bool_],
    orientation: str = PROGENITOR_NAME,
) -> ViewCounts:
    is_wrong = (answers.pfi >= 50) != is_frontal
    narrow, wide = ((answers.pfi < low) | (answers.pfi > high) for low, high in (NARROW, WIDE))
    turns, is_inverted = truth_of_orientation(orientation)
    return ViewCounts(
        group=group,
        pictures=len(is_wrong),
        errors=int(is_wrong.sum()),
        decided_10_90=int(narrow.sum()),
        errors_10_90=int((is_wrong & narrow).sum()),
        decided_5_95=int(wide.sum()),
        errors_5_95=int((is_wrong & wide).sum()),
        turn_errors=int((answers.quarter_turns != turns).sum()),
        inverted_errors=int(((answers.inverted >= 50) != is_inverted).sum()),
    )


def truth_of_orientation(name: str) -> tuple[int, bool]:
    """Quarter turns clockwise, and whether grey values are inverted, by a name of ORIENTATIONS."""
    words = name.split("-")
    turns = int(words[words.index("turned") + 1]) // 90 if "turned" in words else 0
    return turns, INVERTED in words


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


def _count_cascade(
    answers: FastAnswers,
    teacher_pfi: NDArray[np.float64],
    groups: NDArray[np.str_],
    kinds: NDArray[np.str_],
) -> tuple[CascadeCounts, ...]:
    is_frontal = kinds == str(View.FRONTAL)
    given = Answers(pfi=answers.pfi, chest=answers.chest)
    is_fast = Border(pfi=WIDE, chest=50.0).is_sure(given)
    is_fast_wrong = is_fast & ((answers.pfi >= 50) != is_frontal)
    is_teacher_wrong = ~is_fast & ((teacher_pfi >= 50) != is_frontal)
    counts = []
    for group in np.unique(groups[kinds != "not-chest"]):
        of = groups == group
        counts.append(
            CascadeCounts(
                group=str(group),
                pictures=int(of.sum()),
                fast=int(is_fast[of].sum()),
                fast_errors=int(is_fast_wrong[of].sum()),
                teacher_errors=int(is_teacher_wrong[of].sum()),
            )
        )
    return tuple(counts)


def _count_projections(
    pictures: Pictures, run: Run, without: Collection[str], progress: Callable[[int], None]
) -> tuple[ProjectionCounts, ...]:
    """Count held-out patients of sources that were trained on, and all images of the others."""
    known, sources, is_held_out = pictures.projections(), pictures.sources, pictures.is_held_out
    counts = []
    for source in np.unique(sources[known != ""]):
        of = (sources == source) & (known != "")
        # A source with one of the two is not sampled: see `batch`.
        is_trained = len(set(known[of & ~is_held_out])) == 2 and source not in without
        rows = np.flatnonzero(of & is_held_out if is_trained else of)
        if len(rows):
            answers = _run(run, pictures.pixels, rows, PROGENITOR_NAME, progress)
            is_ap = known[rows] == str(Projection.AP)
            counts.append(_count_source(str(source), is_trained, is_ap, answers.projection_ap))
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
