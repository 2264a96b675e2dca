"""Merge the settled labels of a study into a result of `classify`: labels override the model."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.labels import SettledImage, settled_images
from cxrview.annotate.match_rows import StudyRows
from cxrview.annotate.replaced_files import check_content
from cxrview.errors import UsageError
from cxrview.results.columns import MERGED_COLUMNS, ORIGIN
from cxrview.results.tables import each_row, write_table
from cxrview.terms import Agreement, View

MODEL = "model"
"""Column that says whether a view comes from the model or from readers."""
LABELLED, EXCLUDED = "labelled", "excluded"
"""Decisions for images that readers settled, in addition to those of the model."""
Row = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Merged:
    """Counts of the rows of a merged result."""

    rows: int = 0
    labelled: int = 0
    """Rows that now have the readers' view, or their label that is not a view."""
    changed: int = 0
    """Rows of these in which the model had named another view."""
    again: int = 0
    """Rows of `labelled` whose view already came from readers, so that the model's view is not
    known."""
    excluded: int = 0
    by_content: int = 0
    """Rows of both that were matched by the content of their file and not by its path."""
    replaced: int = 0
    """Rows whose file was replaced before or after the run; they keep the model's view."""


def merge_labels(
    table: Path, store: ReadingStore, out: Path, *, root: Path | None = None
) -> Merged:
    """Write a result with the view of each settled image in place of the model's.

    Args:
        table: a result of `classify`, in any format, or a merged one.
        store: the study.
        out: .parquet, .csv or .jsonl; the columns of a result, and `view_origin`.
        root: folder that relative paths of the table are relative to; None for the working folder.

    Raises:
        UsageError: as `each_row`; or no image is settled, or no settled image has a row.
    """
    settled = [one for one in settled_images(store) if one.settled.is_settled]
    if not settled:
        raise UsageError("no image of the study is settled yet", "See cxrview annotate status")
    found = check_content(store, [one.image for one in settled])
    replaced = {image.image_id for image in found.replaced}
    known = StudyRows(store, settled, root)
    merged = Merged()
    write_table(out, _merge(table, known, replaced, merged), MERGED_COLUMNS)
    return merged


def _merge(table: Path, known: StudyRows, replaced: set[str], merged: Merged) -> Iterator[Row]:
    for row in each_row(table, tuple(MERGED_COLUMNS)):
        merged.rows += 1
        one = known.by_path(row)
        if one is None and (one := known.by_content(row)):
            merged.by_content += 1
        is_replaced = one is not None and one.image.image_id in replaced
        merged.replaced += is_replaced or (one is None and known.is_replaced(row))
        if one is None or is_replaced:
            yield row | {ORIGIN: row[ORIGIN] or MODEL}
            continue
        merged.labelled += bool(one.settled.label)
        merged.excluded += bool(one.settled.reason)
        is_of_model = (row[ORIGIN] or MODEL) == MODEL
        merged.again += bool(one.settled.label) and not is_of_model
        if is_of_model:
            merged.changed += bool(one.view and row["view"] and row["view"] != one.view)
        yield _overridden(row, one)
    if not merged.labelled + merged.excluded:
        if merged.replaced:
            raise UsageError(
                f"the files of all settled images that have a row in {table} were replaced after "
                "the study was created",
                "See cxrview annotate verify",
            )
        raise UsageError(
            f"no settled image of the study has a row in {table}",
            "Name with --root the folder that the paths of the table are relative to",
        )


def _overridden(row: Row, one: SettledImage) -> Row:
    """Return the row with the readers' view; PFI, chest and model columns are not changed."""
    view = None if one.view is None else str(one.view)
    return row | {
        "decision": LABELLED if one.settled.label else EXCLUDED,
        "view": view,
        "agreement": _agreement(one.view, row["header_view"]),
        ORIGIN: str(one.settled.how),
    }


def _agreement(view: View | None, header_view: str | None) -> str | None:
    if view is None:
        return None
    if not header_view:
        return str(Agreement.SILENT)
    return str(Agreement.AGREES if header_view == view else Agreement.DISAGREES)
