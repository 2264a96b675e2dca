"""Write robustness results as CSV: counts over many images, or each picture of a few."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from cxrview.assess.cascade import DecidingModel
from cxrview.assess.robustness_pose import ANSWERS
from cxrview.atomic_files import atomic_path_in_new_folder, raising_cannot_write
from cxrview.csv_files import write_csv
from cxrview.records.evaluation import AnsweredCount, Interval, ModifiedCount, ModifiedImage
from cxrview.terms import View

COUNT_COLUMNS = (
    *("modification", "severity", "images", "drawn_from", "right"),
    *("accuracy_percent", "low_percent", "high_percent"),
    *("frontal", "frontal_right", "frontal_low_percent", "frontal_high_percent"),
    *("lateral", "lateral_right", "lateral_low_percent", "lateral_high_percent"),
    *("lost", "gained", "difference_points", "classifier", "cutoff", "scale"),
)
"""Intervals are Clopper-Pearson, 95 %; empty for a view without images."""
POSE_COLUMNS = tuple(
    f"{answer}_{what}_percent" for answer in ANSWERS for what in ("answered", "wrong")
)
"""After COUNT_COLUMNS, for a model that answers these: shares of all images, of `mirrored` those of
the frontal ones."""
SECOND_COLUMNS = ("second_classifier", "second_cutoff")
"""After these, for a classifier with a second model behind it."""
IMAGE_COLUMNS = ("image", "modification", "severity", "pfi", "view", "classifier", "cutoff")


def write_modified_counts(
    path: Path,
    counts: Iterable[ModifiedCount],
    models: Sequence[DecidingModel],
    *,
    scale: str = "",
) -> None:
    """Write COUNT_COLUMNS, a row for each count; the file is written atomically.

    POSE_COLUMNS follow if there are such counts, and SECOND_COLUMNS if there is a second model.

    Args:
        path: .csv.
        counts: of one classifier.
        models: that decided, with their cutoffs; one or two.
        scale: the scale of the training, in words; empty if it was not scaled.

    Raises:
        CannotWrite: the file cannot be written.
    """
    counts = list(counts)
    first, *second = models
    columns = (
        *COUNT_COLUMNS,
        *(POSE_COLUMNS if any(one.poses for one in counts) else ()),
        *(SECOND_COLUMNS if second else ()),
    )
    rows = (
        [
            *(*_cells(one), first.model_id, first.cutoff, scale, *_pose_cells(one.poses)),
            *(cell for model in second for cell in (model.model_id, model.cutoff)),
        ]
        for one in counts
    )
    _write(path, columns, rows)


def write_modified_images(
    path: Path, images: Iterable[Sequence[ModifiedImage]], models: Sequence[DecidingModel]
) -> None:
    """Write IMAGE_COLUMNS, a row for each picture of each image; the file is written atomically.

    Images are numbered from 1 and not named: a file name may identify the patient. `classifier` and
    `cutoff` are those of the model that answered.

    Args:
        path: .csv.
        images: the pictures of each image.
        models: one or two, as for `view_of`.

    Raises:
        CannotWrite: the file cannot be written.
    """
    rows = (
        [
            *(number, one.modification, one.severity, one.pfi, view_of(one, models)),
            *(models[one.is_of_second].model_id, models[one.is_of_second].cutoff),
        ]
        for number, modified in enumerate(images, start=1)
        for one in modified
    )
    _write(path, IMAGE_COLUMNS, rows)


def view_of(one: ModifiedImage, models: Sequence[DecidingModel]) -> View:
    """Return the view by the cutoff of the model that answered.

    Args:
        one: a picture.
        models: the model and, of a cascade, the second one.
    """
    return View.FRONTAL if one.pfi >= models[one.is_of_second].cutoff else View.LATERAL


def _cells(one: ModifiedCount) -> list[object]:
    table = one.table
    return [
        *(one.modification, one.severity, table.total, one.drawn_from, table.right),
        *(round(100 * table.accuracy, 3), *_percent(one.interval)),
        *(table.frontal, table.frontal_called_frontal, *_percent(one.frontal_interval)),
        *(table.lateral, table.lateral_called_lateral, *_percent(one.lateral_interval)),
        *(one.lost, one.gained, round(100 * one.difference, 3)),
    ]


def _pose_cells(poses: Iterable[AnsweredCount]) -> list[object]:
    return [
        "" if count is None or not one.images else round(100 * count / one.images, 3)
        for one in poses
        for count in (one.answered, one.wrong)
    ]


def _percent(interval: Interval | None) -> tuple[object, object]:
    if interval is None:
        return "", ""
    return round(100 * interval.low, 3), round(100 * interval.high, 3)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with raising_cannot_write(path), atomic_path_in_new_folder(path) as part:
        write_csv(part, columns, rows)
