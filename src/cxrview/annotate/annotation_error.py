"""Holds a result of `classify` against the labels of a study that was drawn from its archive."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.labels import SettledImage, settled_images
from cxrview.annotate.match_rows import StudyRows
from cxrview.errors import UsageError
from cxrview.records import ArchiveError, LabelledRow
from cxrview.results.columns import ORIGIN
from cxrview.results.tables import each_row, write_rows
from cxrview.terms import View

SHARES, STRATA, WRONG = "shares.csv", "strata.csv", "wrong.csv"
_COLUMNS = ("path", "content_id", "decision", "view", "pfi", ORIGIN)
_SHARE_COLUMNS = (
    *("name", "hits", "images", "low", "high"),
    *("weighted", "weighted_low", "weighted_high"),
)
_WRONG_COLUMNS = ("path", "stratum", "weight", "label_view", "view", "pfi")
Row = dict[str, Any]


def labelled_rows(
    table: Path, store: ReadingStore, *, root: Path | None = None
) -> list[LabelledRow]:
    """Every image of a study beside what a result says of it.

    Args:
        table: a result of `classify`, in any format.
        store: the study.
        root: what relative paths of the table are relative to; the working folder where None.

    Raises:
        UsageError: as `each_row`, or labels were merged into the result.
    """
    images = settled_images(store)
    known = StudyRows(store, images, root)
    of_path: dict[str, Row] = {}
    of_content: dict[str, Row] = {}
    for row in each_row(table, _COLUMNS):
        if row[ORIGIN]:
            raise UsageError(
                f"in {table} labels override the model, so that it says nothing of the model",
                "Name the result as cxrview classify wrote it",
            )
        if one := known.by_path(row):
            of_path[one.image.image_id] = row
        elif one := known.by_content(row):
            of_content[one.image.image_id] = row
    found = of_content | of_path
    return [_beside(one, found.get(one.image.image_id, {})) for one in images]


def write_archive_error(folder: Path, found: ArchiveError) -> None:
    """Write shares, strata, and the images whose view is wrong, each as CSV.

    Raises:
        CannotWrite: the disk took no more.
    """
    write_rows(
        folder / SHARES, [_share_row(asdict(share)) for share in found.shares], _SHARE_COLUMNS
    )
    write_rows(folder / STRATA, [asdict(stratum) for stratum in found.strata])
    wrong = [{name: getattr(row, name) for name in _WRONG_COLUMNS} for row in found.wrong]
    write_rows(folder / WRONG, wrong, _WRONG_COLUMNS)


def _share_row(share: Row) -> Row:
    """Without records within the record."""
    weighted = {f"weighted_{end}": at for end, at in share.pop("weighted_interval").items()}
    return {**share.pop("interval"), **weighted, **share}


def _beside(one: SettledImage, row: Row) -> LabelledRow:
    return LabelledRow(
        path=one.image.path,
        stratum=one.image.stratum,
        weight=one.image.weight,
        is_settled=one.settled.is_settled,
        label_view=one.view,
        decision=row.get("decision") or "",
        view=View(row["view"]) if row.get("view") else None,
        pfi=row.get("pfi"),
    )
