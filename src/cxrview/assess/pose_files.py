"""Count the answers on the pose for test images, and keep the counts in `pose.csv`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cxrview.assess.images import AssessmentImages, ImageSet
from cxrview.assess.pose import PoseCounts, PoseImages, add_up, choose_few, count_poses
from cxrview.callbacks import ignore
from cxrview.classify.model import Model
from cxrview.csv_files import read_csv_rows
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.results.tables import write_rows
from cxrview.stats import exact_interval

POSES = "pose.csv"
MOST_TURNED = 200
"""Images of one source and view that are turned, mirrored and inverted."""
_ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPoses:
    """How often the answers on the pose are right, in one set of test images."""

    images: str
    """`inside` or `external`."""
    counts: tuple[PoseCounts, ...]
    """By answer, source and orientation."""

    @property
    def sums(self) -> tuple[PoseCounts, ...]:
        """Over all orientations, by source; then over all sources, as `all`."""
        return add_up(self.counts)


def choose_turned(images: AssessmentImages) -> tuple[ImageSet, ...]:
    """Return the test images that are turned: at most MOST_TURNED of each source and view.

    Sets without an image are left out. The choice is always the same.
    """
    sets = (images.inside, images.external)
    return tuple(_chosen(one) for one in sets if len(one))


def pictures_to_turn(images: AssessmentImages) -> int:
    """Return the number of pictures that `compute_poses` runs a model on."""
    return len(ORIENTATIONS) * sum(map(len, choose_turned(images)))


def compute_poses(
    images: AssessmentImages, model: Model, watch: Callable[[int], None] = ignore
) -> tuple[SetPoses, ...]:
    """Run a model on the images of `choose_turned` in sixteen orientations, and count.

    Args:
        images: of the assessment. A prepared store does not have the projection: AP and PA are not
            counted.
        model: with thresholds on its card; of a cascade the first model, which answers.
        watch: called with how many more pictures the model was run on.

    Raises:
        ValueError: the model has no such answers.
    """
    first = replace(model, second=None)
    return tuple(
        SetPoses(images=one.name, counts=count_poses(first, _upright(one), progress=watch))
        for one in choose_turned(images)
    )


def write_poses(
    path: Path,
    poses: Sequence[SetPoses],
    thresholds: Mapping[str, float],
    *,
    classifier: str,
    scale: str = "",
) -> None:
    """Write a row for each count, then those over all orientations; shares are of 1.

    Args:
        path: .csv.
        poses: at least one count.
        thresholds: of the model card.
        classifier: name of the model.
        scale: the scale of its training, in words.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    write_rows(
        path,
        (
            {"classifier": classifier, "images": of.images}
            | _row(one)
            | {"threshold": thresholds[one.answer], "scale": scale}
            for of in poses
            for one in (*of.counts, *of.sums)
        ),
    )


def read_poses(path: Path) -> tuple[SetPoses, ...]:
    """Read what `write_poses` wrote."""
    sets: dict[str, list[PoseCounts]] = {}
    for row in read_csv_rows(path):
        if row["pose"] != _ALL:
            sets.setdefault(row["images"], []).append(_counts(row))
    return tuple(SetPoses(images=name, counts=tuple(of)) for name, of in sets.items())


def _chosen(one: ImageSet) -> ImageSet:
    kinds = np.array([f"{image.source}\0{image.view}" for image in one.images], str)
    rows = choose_few(kinds, MOST_TURNED)
    return replace(one, images=tuple(one.images[row] for row in rows))


def _upright(one: ImageSet) -> PoseImages:
    return PoseImages(
        pixels=one.pixels(),
        is_frontal=one.is_frontal,
        sources=np.array([image.source for image in one.images], str),
        projections=np.full(len(one), ""),
    )


def _row(one: PoseCounts) -> dict[str, Any]:
    interval = exact_interval(one.errors_decided, one.decided) if one.decided else None
    return {
        "answer": one.answer,
        "source": one.source,
        "pose": one.pose,
        "pictures": one.pictures,
        "errors": one.errors,
        "decided": one.decided,
        "errors_decided": one.errors_decided,
        "error_low": interval and interval.low,
        "error_high": interval and interval.high,
    }


def _counts(row: Mapping[str, str]) -> PoseCounts:
    return PoseCounts(
        answer=row["answer"],
        source=row["source"],
        pose=row["pose"],
        pictures=int(row["pictures"]),
        errors=int(row["errors"]),
        decided=int(row["decided"]),
        errors_decided=int(row["errors_decided"]),
    )
