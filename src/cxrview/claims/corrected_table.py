"""Writes a collection's metadata table again, with corrected and filled views beside the old ones.

Same rows, same columns, same order, same text; four columns more at the end.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from cxrview.atomic_files import atomic_path, raising_cannot_write
from cxrview.claims.claim_table import (
    READ_AT_A_TIME,
    cell_text,
    is_missing,
    is_parquet,
    reading_parquet,
    view_of_cell,
)
from cxrview.claims.claimed_rows import ClaimSource, count_problems, match_result
from cxrview.claims.collections import ClaimColumns
from cxrview.claims.match import ClaimMatches
from cxrview.claims.raw_csv import add_cells
from cxrview.errors import UsageError
from cxrview.results.columns import Row
from cxrview.results.tables import each_row
from cxrview.sources.csv_rows import read_csv
from cxrview.terms import View

CORRECTED_ENDING = "_corrected"
"""Of the new column: `ViewPosition_corrected` beside `ViewPosition`."""
ADDED = ("cxrview_change", "cxrview_decision", "cxrview_pfi")
"""The other new columns."""
_RESULT_COLUMNS = ("path", "decision", "view", "pfi")


class Change(StrEnum):
    """What became of the view of a row."""

    KEPT = "kept"
    """The image shows the view that the cell names."""
    CORRECTED = "corrected"
    """The cell names the other view."""
    FILLED = "filled"
    """The cell is empty, and the image has a view."""
    OTHER = "other"
    """The cell names neither view, such as LAO: it is left as it is."""
    UNCHECKED = "unchecked"
    """The image has no view, or the result lacks it: the cell is left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedTable:
    """Counts of a corrected table."""

    path: Path
    rows: int
    changes: Counter[str]
    """Rows by Change."""
    problems: Counter[str]
    """Keys whose claim has no image, or not one alone, by KeyProblem."""


@dataclass(frozen=True, slots=True)
class _Image:
    decision: str
    view: View | None = None
    pfi: float | None = None


@dataclass(slots=True)
class _Corrections:
    """The new cells of each row."""

    columns: ClaimColumns
    images: Mapping[str, _Image]
    """By key."""
    changes: Counter[str] = field(default_factory=Counter)

    def cells(self, row: Mapping[str, Any]) -> tuple[str, str, str, float | None]:
        """Corrected view, change, decision and PFI of a row of the table."""
        text = cell_text(row[self.columns.view])
        image = self.images.get(cell_text(row[self.columns.key]), _Image(""))
        change = _change(text, image.view)
        self.changes[str(change)] += 1
        changes = change in (Change.CORRECTED, Change.FILLED)
        shown = self.columns.word(image.view) if changes and image.view else text
        return shown, change, image.decision, image.pfi

    def as_text(self, row: Mapping[str, Any]) -> tuple[str, str, str, str]:
        """The same for a CSV file."""
        *words, pfi = self.cells(row)
        return *words, "" if pfi is None else str(pfi)  # type: ignore[return-value]


def write_corrected_table(
    result: Path, source: ClaimSource, out: Path, folder: str = ""
) -> CorrectedTable:
    """Write a metadata table again with the views that its images show.

    Args:
        result: of `cxrview classify`, `merge` or `concat`: `classified` images and readers' labels
            count, all others are left unchecked.
        source: the metadata table, CSV, gzipped CSV or Parquet.
        out: the new table in the same format; a file of this name is replaced when the new one is
            complete. CSV may be gzipped or not.
        folder: what relative paths of the result are relative to; where the run stood if empty.

    Returns:
        The counts.

    Raises:
        UsageError: a table cannot be read, they have no image in common, `out` is the table itself
            or has another format, or the table was corrected before.
        CannotWrite: the disk is full or fails.
    """
    _check_names(source.table, out)
    matches = match_result(result, source, folder)
    columns = matches.table.columns
    added = (columns.view + CORRECTED_ENDING, *ADDED)
    corrections = _Corrections(columns, _images(matches, each_row(result, _RESULT_COLUMNS)))
    write = _write_parquet if is_parquet(source.table) else _write_csv
    write(source.table, out, added, corrections)
    return CorrectedTable(
        path=out,
        rows=corrections.changes.total(),
        changes=corrections.changes,
        problems=count_problems(matches),
    )


def _change(text: str, view: View | None) -> Change:
    if view is None:
        return Change.UNCHECKED
    if is_missing(text):
        return Change.FILLED
    claimed = view_of_cell(text)
    if claimed is None:
        return Change.OTHER
    return Change.KEPT if claimed is view else Change.CORRECTED


def _images(matches: ClaimMatches, rows: Iterable[Row]) -> dict[str, _Image]:
    """What was found of the image of each key; why there is none in place of a decision."""
    images = {key: _Image(str(problem)) for key, problem in matches.problems.items()}
    for row, claim in zip(rows, matches.keys(), strict=True):
        if claim:
            view = View(row["view"]) if row["view"] in set(View) else None
            images[claim.key] = _Image(row["decision"], view, row["pfi"])
    return images


def _check_names(table: Path, out: Path) -> None:
    if out.exists() and out.samefile(table):
        raise UsageError(f"{out} is the table itself", "Choose another --out")
    if is_parquet(out) != is_parquet(table):
        ending = ".parquet" if is_parquet(table) else ".csv or .csv.gz"
        raise UsageError(
            f"{out} has another format than {table}", f"Choose an --out that ends in {ending}"
        )
    if not out.parent.is_dir():
        raise UsageError(
            f"folder {out.parent} does not exist", "Create it, or choose another --out"
        )


def _check_columns(table: Path, columns: Iterable[str], added: Iterable[str]) -> None:
    if known := [name for name in added if name in set(columns)]:
        raise UsageError(
            f"{table} has a column {known[0]} already", "Use the original table of the collection"
        )


def _write_csv(table: Path, out: Path, added: tuple[str, ...], corrections: _Corrections) -> None:
    columns = read_csv(table, dict.fromkeys((corrections.columns.key,), ())).columns
    _check_columns(table, columns, added)
    add_cells(table, out, columns, added, corrections.as_text)


def _write_parquet(
    table: Path, out: Path, added: tuple[str, ...], corrections: _Corrections
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with reading_parquet(table):
        source = pq.ParquetFile(table)
    types = (pa.string(), pa.string(), pa.string(), pa.float64())
    with source, raising_cannot_write(out), atomic_path(out) as part:
        schema = source.schema_arrow
        _check_columns(table, schema.names, added)
        for name, kind in zip(added, types, strict=True):
            schema = schema.append(pa.field(name, kind))
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in source.iter_batches(READ_AT_A_TIME):
                rows = batch.select([corrections.columns.key, corrections.columns.view]).to_pylist()
                new = zip(*(corrections.cells(row) for row in rows), strict=True)
                arrays = [
                    pa.array([value if value != "" else None for value in values], kind)
                    for values, kind in zip(new, types, strict=True)
                ]
                writer.write_batch(
                    pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=schema)
                )
