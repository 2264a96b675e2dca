"""Writes a collection's metadata table again, with corrected and filled views beside the old ones.

Same rows, same columns, same order, same text; four columns more at the end.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from cxrview.atomic_files import atomic_path, raising_cannot_write
from cxrview.claims.claim_table import (
    READ_AT_A_TIME,
    cell_text,
    is_missing,
    is_parquet,
    open_claims,
    reading_parquet,
    view_of_cell,
)
from cxrview.claims.claimed_rows import ClaimSource, count_problems, match_result
from cxrview.claims.collections import ClaimColumns
from cxrview.claims.match import ClaimMatches
from cxrview.claims.raw_csv import add_cells
from cxrview.errors import UsageError
from cxrview.image.dicom.view_position import normal
from cxrview.results.columns import Row
from cxrview.results.tables import each_row
from cxrview.sources.csv_rows import read_csv
from cxrview.terms import Projection, View

CORRECTED_ENDING = "_corrected"
"""Of the new column: `ViewPosition_corrected` beside `ViewPosition`."""
ADDED = ("cxrview_change", "cxrview_decision", "cxrview_pfi")
"""The other new columns."""
_RESULT_COLUMNS = ("path", "content_id", "decision", "view", "pfi")
LABELLED, EXCLUDED = "labelled", "excluded"
"""Decisions of images of which a person says the view, or that there is none."""


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


class PersonView(Protocol):
    """What a person says of an image."""

    @property
    def view(self) -> View | None:
        """None where they found none."""

    @property
    def projection(self) -> Projection | None:
        """None unless they gave it."""


class PersonViews(Protocol):
    """What persons say of the images of a result, such as `writeback.person_views.PersonViews`."""

    def of(self, row: Row) -> PersonView | None:
        """What a person decided about the image of a row; None without such a decision."""

    def check(self) -> int:
        """Refuse decisions that belong to no row, once all rows have been looked up."""


@dataclass(frozen=True, slots=True)
class _Image:
    decision: str
    view: View | None = None
    pfi: float | None = None
    projection: Projection | None = None
    is_of_person: bool = False

    def joined(self, other: "_Image", key: str) -> "_Image":
        """What holds of two equal files: what a person says goes before what the model says.

        Raises:
            UsageError: persons named different views of them.
        """
        if not (self.is_of_person and other.is_of_person):
            return self if self.is_of_person else other
        if self.view is not other.view or (
            self.projection and other.projection and self.projection != other.projection
        ):
            raise UsageError(
                f"persons decided differently about files of equal content, {key}",
                "Decide the same for each of them",
            )
        return self if self.projection else other


@dataclass(frozen=True, slots=True)
class Correction:
    """The new cells of a row of the table."""

    view: str
    """The old text, or what the image shows."""
    change: Change
    decision: str
    pfi: float | None


@dataclass(frozen=True, slots=True)
class Corrections:
    """What becomes of the rows of a metadata table."""

    columns: ClaimColumns
    """As they are spelled in the table."""
    problems: Counter[str]
    """Keys whose claim has no image, or not one alone, by KeyProblem."""
    images: Mapping[str, _Image]
    """By key."""
    changes: Counter[str] = field(default_factory=Counter)
    """Rows so far, by Change."""

    def correct(self, key: str, text: str) -> Correction:
        """Correct one row, and count it.

        Args:
            key: of the row.
            text: its view as it stands.
        """
        image = self.images.get(key, _Image(""))
        change = _change(text, image)
        self.changes[str(change)] += 1
        if change in (Change.CORRECTED, Change.FILLED) and image.view:
            text = image.projection or self.columns.word(image.view)
        return Correction(text, change, image.decision, image.pfi)


def write_corrected_table(
    result: Path,
    source: ClaimSource,
    out: Path,
    folder: str = "",
    persons: PersonViews | None = None,
    *,
    only_persons: bool = False,
) -> CorrectedTable:
    """Write a metadata table again with the views that its images show.

    Args:
        result: of `cxrview classify`, `merge` or `concat`: `classified` images and readers' labels
            count, all others are left unchecked.
        source: the metadata table, CSV, gzipped CSV or Parquet.
        out: the new table in the same format; a file of this name is replaced when the new one is
            complete. CSV may be gzipped or not.
        folder: what relative paths of the result are relative to; where the run stood if empty.
        persons: what persons decided, in place of what the result says; only a person's cell is
            PA, AP, LL or RL.
        only_persons: take the views of persons and readers' labels alone; other images are left
            unchecked.

    Returns:
        The counts.

    Raises:
        UsageError: a table cannot be read, they have no image in common, `out` is the table itself
            or has another format, the table was corrected before, or a decision has no image.
        CannotWrite: the disk is full or fails.
    """
    _check_names(source.table, out)
    corrections = plan_corrections(result, source, folder, persons, only_persons=only_persons)
    added = (corrections.columns.view + CORRECTED_ENDING, *ADDED)
    write = _write_parquet if is_parquet(source.table) else _write_csv
    write(source.table, out, added, corrections)
    return CorrectedTable(
        path=out,
        rows=corrections.changes.total(),
        changes=corrections.changes,
        problems=corrections.problems,
    )


def plan_corrections(
    result: Path,
    source: ClaimSource,
    folder: str = "",
    persons: PersonViews | None = None,
    *,
    only_persons: bool = False,
) -> Corrections:
    """Find out what becomes of each key of a metadata table; see `write_corrected_table`."""
    matches = match_result(result, source, folder)
    rows = each_row(result, _RESULT_COLUMNS)
    images = _images(matches, rows, persons, only_persons=only_persons)
    if persons:
        persons.check()
    return Corrections(matches.table.columns, count_problems(matches), images)


def each_correction(
    source: ClaimSource, corrections: Corrections
) -> Iterator[tuple[str, str, Correction]]:
    """Yield key, old text and new cells of each row of a table, without writing anything."""
    _, rows = open_claims(source.table, source.columns)
    for key, text, _ in rows:
        yield key, text, corrections.correct(key, text)


def _change(text: str, image: _Image) -> Change:
    if image.view is None:
        return Change.UNCHECKED
    if is_missing(text):
        return Change.FILLED
    claimed = view_of_cell(text)
    if claimed is None:
        return Change.OTHER
    is_same = image.projection is None or image.projection in normal(text).split()
    return Change.KEPT if claimed is image.view and is_same else Change.CORRECTED


def _images(
    matches: ClaimMatches,
    rows: Iterable[Row],
    persons: PersonViews | None,
    *,
    only_persons: bool,
) -> dict[str, _Image]:
    """What was found of the image of each key; why there is none in place of a decision."""
    images = {key: _Image(str(problem)) for key, problem in matches.problems.items()}
    for row, claim in zip(rows, matches.keys(), strict=True):
        person = persons.of(row) if persons else None
        if claim and person:
            decision = LABELLED if person.view else EXCLUDED
            image = _Image(decision, person.view, row["pfi"], person.projection, True)
        elif claim:
            is_label = row["decision"] in (LABELLED, EXCLUDED)
            is_used = row["decision"] == LABELLED or not only_persons
            view = View(row["view"]) if is_used and row["view"] in set(View) else None
            image = _Image(row["decision"], view, row["pfi"], is_of_person=is_label)
        else:
            continue
        images[claim.key] = images.get(claim.key, image).joined(image, claim.key)
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


def _write_csv(table: Path, out: Path, added: tuple[str, ...], corrections: Corrections) -> None:
    columns = read_csv(table, dict.fromkeys((corrections.columns.key,), ())).columns
    _check_columns(table, columns, added)
    key, view = corrections.columns.key, corrections.columns.view

    def cells(row: Mapping[str, str]) -> tuple[str, str, str, str]:
        one = corrections.correct(cell_text(row[key]), cell_text(row[view]))
        return one.view, one.change, one.decision, "" if one.pfi is None else str(one.pfi)

    add_cells(table, out, columns, added, cells)


def _write_parquet(
    table: Path, out: Path, added: tuple[str, ...], corrections: Corrections
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with reading_parquet(table):
        source = pq.ParquetFile(table)
    key, view = corrections.columns.key, corrections.columns.view
    types = (pa.string(), pa.string(), pa.string(), pa.float64())
    with source, raising_cannot_write(out), atomic_path(out) as part:
        schema = source.schema_arrow
        _check_columns(table, schema.names, added)
        for name, kind in zip(added, types, strict=True):
            schema = schema.append(pa.field(name, kind))
        with pq.ParquetWriter(part, schema, compression="zstd") as writer:
            for batch in source.iter_batches(READ_AT_A_TIME):
                new = [
                    astuple(corrections.correct(cell_text(row[key]), cell_text(row[view])))
                    for row in batch.select(sorted({key, view})).to_pylist()
                ]
                arrays = [
                    pa.array([value if value != "" else None for value in values], kind)
                    for values, kind in zip(zip(*new, strict=True), types, strict=True)
                ]
                writer.write_batch(
                    pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=schema)
                )
