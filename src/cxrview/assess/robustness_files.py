"""Write robustness results as CSV: counts over many images, or each picture of a few."""

from collections.abc import Iterable, Sequence
from pathlib import Path

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
IMAGE_COLUMNS = ("image", "modification", "severity", "pfi", "view", "classifier", "cutoff")


def write_modified_counts(
    path: Path,
    counts: Iterable[ModifiedCount],
    *,
    classifier: str,
    cutoff: float,
    scale: str = "",
) -> None:
    """Write COUNT_COLUMNS, a row for each count; the file is written atomically.

    POSE_COLUMNS follow if there are such counts.

    Args:
        path: .csv.
        counts: of one classifier.
        classifier: its name.
        cutoff: of the counts; percent.
        scale: the scale of the training, in words; empty if it was not scaled.

    Raises:
        CannotWrite: the file cannot be written.
    """
    counts = list(counts)
    columns = (*COUNT_COLUMNS, *POSE_COLUMNS) if any(one.poses for one in counts) else COUNT_COLUMNS
    _write(
        path,
        columns,
        ([*_cells(one), classifier, cutoff, scale, *_pose_cells(one.poses)] for one in counts),
    )


def write_modified_images(
    path: Path, images: Iterable[Sequence[ModifiedImage]], *, classifier: str, cutoff: float
) -> None:
    """Write IMAGE_COLUMNS, a row for each picture of each image; the file is written atomically.

    Images are numbered from 1 and not named: a file name may identify the patient.

    Raises:
        CannotWrite: the file cannot be written.
    """
    rows = (
        [number, one.modification, one.severity, one.pfi, _view(one.pfi, cutoff)]
        + [classifier, cutoff]
        for number, modified in enumerate(images, start=1)
        for one in modified
    )
    _write(path, IMAGE_COLUMNS, rows)


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


def _view(pfi: float, cutoff: float) -> View:
    return View.FRONTAL if pfi >= cutoff else View.LATERAL


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with raising_cannot_write(path), atomic_path_in_new_folder(path) as part:
        write_csv(part, columns, rows)
