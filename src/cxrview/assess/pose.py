"""Count how often a model is right about turn, mirroring, inversion and projection."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.callbacks import ignore
from cxrview.classify.model import Model
from cxrview.dataset.augment.poses import ORIENTATIONS, pose_of_orientation
from cxrview.records.answers import PoseAnswers, join_answers
from cxrview.records.evaluation import Interval
from cxrview.stats import exact_interval
from cxrview.terms import Projection

CALL = 64
"""Pictures that are turned, and in memory, at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseImages:
    """Upright radiographs of known view; all arrays have the same order."""

    pixels: NDArray[np.uint8]
    """Shape (n, side, side), uint8; may be memory-mapped."""
    is_frontal: NDArray[np.bool_]
    """Shape (n,)."""
    sources: NDArray[np.str_]
    """Shape (n,)."""
    projections: NDArray[np.str_]
    """Shape (n,): `AP`, `PA`, or empty where unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseCounts:
    """How often one answer was right, in one group of pictures."""

    answer: str
    """`rotation`, `mirrored`, `inverted` or `projection`."""
    source: str
    pose: str
    """A name of ORIENTATIONS."""
    pictures: int
    """Of which the answer is known."""
    errors: int
    """Where the more probable answer is wrong, also below the threshold."""
    decided: int
    """Above the threshold of the model card."""
    errors_decided: int

    @property
    def error_interval(self) -> Interval:
        """Exact 95 % interval of the share of errors among the decided ones, 0 to 1."""
        return exact_interval(self.errors_decided, self.decided)


def count_poses(
    model: Model,
    images: PoseImages,
    *,
    orientations: Iterable[str] = tuple(ORIENTATIONS),
    progress: Callable[[int], None] = ignore,
) -> tuple[PoseCounts, ...]:
    """Turn, mirror and invert every radiograph, and count what a model says of it.

    Projection and mirroring are counted for frontal radiographs only. The sources are assumed to
    hold upright radiographs that are neither mirrored nor inverted, which is true but for a few.

    Args:
        model: with thresholds on its card.
        images: at least one.
        orientations: names of ORIENTATIONS.
        progress: called with how many more pictures the model was run on.

    Raises:
        ValueError: the model has no such answers.
    """
    if not model.card.thresholds:
        raise ValueError(f"{model.card.model_id} has no answers on the pose")
    counts: list[PoseCounts] = []
    for orientation in orientations:
        turn = ORIENTATIONS[orientation]
        parts = []
        for start in range(0, len(images.pixels), CALL):
            shown = turn(np.asarray(images.pixels[start : start + CALL]))
            parts.append(model.answer(shown))
            progress(len(shown))
        pose = join_answers(parts).pose
        assert pose is not None
        counts += _count(pose, images, orientation, model.card.thresholds)
    return tuple(counts)


def choose_few(kinds: NDArray[np.str_], most: int | None) -> NDArray[np.intp]:
    """Choose at most so many images of each kind; the choice is always the same.

    Args:
        kinds: shape (n,), such as source and view of each image.
        most: of one kind; None for all.

    Returns:
        Shape (m,), indices from 0 to n - 1, in ascending order.
    """
    rng = np.random.default_rng(0)
    chosen = [np.empty(0, np.intp)]
    for kind in np.unique(kinds):
        of = np.flatnonzero(kinds == kind)
        is_few = most is None or len(of) <= most
        chosen.append(of if is_few else rng.choice(of, most, replace=False))
    return np.sort(np.concatenate(chosen))


def add_up(counts: Sequence[PoseCounts]) -> tuple[PoseCounts, ...]:
    """Sum counts of one answer over all poses, by source; then over all sources, as `all`."""
    sums: dict[tuple[str, str], list[PoseCounts]] = {}
    for one in counts:
        for source in dict.fromkeys((one.source, "all")):
            sums.setdefault((one.answer, source), []).append(one)
    return tuple(
        PoseCounts(
            answer=answer,
            source=source,
            pose="all",
            pictures=sum(one.pictures for one in of),
            errors=sum(one.errors for one in of),
            decided=sum(one.decided for one in of),
            errors_decided=sum(one.errors_decided for one in of),
        )
        for (answer, source), of in sums.items()
    )


def answer_probability(
    pose: PoseAnswers, answer: str
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give the probability of the more probable answer, percent, and this answer as a number.

    Args:
        pose: of n pictures.
        answer: `rotation` (answers 0 to 3, quarters clockwise), or `mirrored`, `inverted` or
            `projection` (answers 0, and 1 for yes and for AP).
    """
    if answer == "rotation":
        return pose.turns.max(axis=1), pose.turns.argmax(axis=1).astype(np.int64)
    percent = {
        "mirrored": pose.mirrored,
        "inverted": pose.inverted,
        "projection": pose.projection_ap,
    }[answer]
    return np.maximum(percent, 100 - percent), (percent >= 50).astype(np.int64)


def _count(
    pose: PoseAnswers, images: PoseImages, orientation: str, thresholds: Mapping[str, float]
) -> list[PoseCounts]:
    truth = pose_of_orientation(orientation)
    known = np.ones(len(images.pixels), bool)
    is_ap = images.projections == str(Projection.AP)
    expected: dict[str, tuple[NDArray[np.bool_], NDArray[np.int64] | int]] = {
        "rotation": (known, truth.quarter_turns),
        "mirrored": (images.is_frontal, int(truth.is_mirrored)),
        "inverted": (known, int(truth.is_inverted)),
        "projection": (images.is_frontal & (images.projections != ""), is_ap.astype(np.int64)),
    }
    counts = []
    for answer, (is_asked, right) in expected.items():
        percent, given = answer_probability(pose, answer)
        # Rounded as `decide` does, so that the counts are those of a result.
        is_wrong, is_decided = given != right, percent.round(3) > thresholds[answer]
        for source in np.unique(images.sources[is_asked]):
            of = is_asked & (images.sources == source)
            counts.append(
                PoseCounts(
                    answer=answer,
                    source=str(source),
                    pose=orientation,
                    pictures=int(of.sum()),
                    errors=int((of & is_wrong).sum()),
                    decided=int((of & is_decided).sum()),
                    errors_decided=int((of & is_decided & is_wrong).sum()),
                )
            )
    return counts
