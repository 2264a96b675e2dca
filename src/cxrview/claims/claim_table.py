"""Reads the views that a collection's metadata table claims, from CSV, gzipped CSV or Parquet."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cxrview.claims.collections import ClaimColumns
from cxrview.errors import UsageError
from cxrview.image.dicom.view_position import view_of_word
from cxrview.sources.csv_rows import read_csv
from cxrview.terms import View

_MISSING = frozenset(["", "na", "n/a", "nan", "none", "null", "unk", "unknown"])
"""Cells, in small letters, that say nothing."""
_PARQUET = (".parquet", ".pq")
READ_AT_A_TIME = 10_000


@dataclass(slots=True, kw_only=True)
class Claim:
    """What a table says of the image with one key."""

    key: str
    text: str
    """The cell as it stands, without outer spaces; of the first row with this key."""
    patient: str = ""
    rows: int = 1
    """Of the table that have this key."""
    is_contradictory: bool = False
    """Rows with this key claim different views."""

    @property
    def view(self) -> View | None:
        """The view that the cell names by the mapping table of headers; None if it names none."""
        return None if self.is_contradictory else view_of_cell(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTable:
    """The claims of a table, one a key."""

    path: Path
    columns: ClaimColumns
    """As they are spelled in the table."""
    claims: tuple[Claim, ...]
    rows: int
    without_key: int = 0
    """Rows whose key is empty."""
    values: Mapping[str, int] = field(default_factory=dict)
    """Rows by the text of their cell."""

    @property
    def has_patients(self) -> bool:
        """Whether the patients of the claims are known."""
        return bool(self.columns.patient)


def view_of_cell(text: str) -> View | None:
    """Return the view that a cell names, such as `PA`, `LL` or `Frontal`; None if it names none."""
    return view_of_word(text) if text else None


def is_missing(text: str) -> bool:
    """Whether a cell says nothing: it is empty, or `nan`, `NA`, `None`, `null` or `unknown`."""
    return text.strip().lower() in _MISSING


def is_parquet(path: Path) -> bool:
    """Whether a table is Parquet by its name; all others are read as CSV."""
    return path.suffix.lower() in _PARQUET


def read_claims(path: Path, columns: ClaimColumns) -> ClaimTable:
    """Read a metadata table.

    Column names are found regardless of capitals, spaces and underscores. A CSV file may have
    commas, semicolons or tabs, be UTF-8 or UTF-16, and be gzipped (`.csv.gz`).

    Args:
        path: the table.
        columns: where its keys, views and patients are.

    Returns:
        One claim a key, in the order of the table.

    Raises:
        UsageError: the table cannot be read, or has no such column.
    """
    found, rows = open_claims(path, columns)
    claims: dict[str, Claim] = {}
    values: dict[str, int] = {}
    total = without_key = 0
    for key, text, patient in rows:
        total += 1
        values[text] = values.get(text, 0) + 1
        if not key:
            without_key += 1
        elif known := claims.get(key):
            known.rows += 1
            known.is_contradictory |= view_of_cell(text) is not view_of_cell(known.text)
        else:
            claims[key] = Claim(key=key, text=text, patient=patient)
    if not total:
        raise UsageError(f"{path} has no rows", "Name the metadata table of the collection")
    return ClaimTable(
        path=path,
        columns=found,
        claims=tuple(claims.values()),
        rows=total,
        without_key=without_key,
        values=values,
    )


def open_claims(path: Path, columns: ClaimColumns) -> "tuple[ClaimColumns, _Cells]":
    """Open a metadata table.

    Returns:
        Its columns as they are spelled in it, and key, view and patient of each row as text.

    Raises:
        UsageError: as `read_claims`, also later, while rows are taken.
    """
    return (_parquet_rows if is_parquet(path) else _csv_rows)(path, columns)


_Cells = Iterator[tuple[str, str, str]]
"""Key, view and patient of each row."""


def _csv_rows(path: Path, columns: ClaimColumns) -> tuple[ClaimColumns, _Cells]:
    names = (columns.key, columns.view)
    table = read_csv(path, dict.fromkeys(names, ()), needed=names)
    found = _spelled(columns, table.named)
    columns.patient.need_column(dict.fromkeys(table.columns), path)
    for name in (found.key, found.view):
        if table.columns.count(name) > 1:
            raise UsageError(f"{path} has several columns named {name}", "Rename all but one")
    return found, (
        (
            row[found.key].strip(),
            row[found.view].strip(),
            columns.patient.find(row[found.key].strip(), row),
        )
        for _, row in table.rows
    )


def _parquet_rows(path: Path, columns: ClaimColumns) -> tuple[ClaimColumns, _Cells]:
    import pyarrow.parquet as pq

    with reading_parquet(path):
        names = [str(name) for name in pq.read_schema(path).names]
    found = _spelled(columns, _named(path, (columns.key, columns.view), names))
    columns.patient.need_column(dict.fromkeys(names), path)
    return found, _parquet_cells(path, found, names)


def _parquet_cells(path: Path, columns: ClaimColumns, names: Collection[str]) -> _Cells:
    import pyarrow.parquet as pq

    wanted = {columns.key, columns.view, *columns.patient.columns(dict.fromkeys(names))}
    with reading_parquet(path), pq.ParquetFile(path) as table:
        for batch in table.iter_batches(READ_AT_A_TIME, columns=sorted(wanted)):
            for row in batch.to_pylist():
                key = cell_text(row[columns.key])
                yield key, cell_text(row[columns.view]), columns.patient.find(key, row)


def cell_text(value: Any) -> str:
    """The text of a Parquet cell; empty where it is null."""
    return "" if value is None else str(value).strip()


@contextmanager
def reading_parquet(path: Path) -> Iterator[None]:
    """Turn the errors of reading a Parquet file into UsageError."""
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: pyarrow's
        raise UsageError(f"{path} cannot be read as Parquet", "Check the file") from error


def _named(path: Path, wanted: Collection[str], names: Collection[str]) -> dict[str, str]:
    """From a requested column to the name in the table, as `read_csv` finds them."""
    plain = {_plain(name): name for name in reversed(list(names))}
    named = {
        name: name if name in names else plain[_plain(name)]
        for name in wanted
        if name in names or _plain(name) in plain
    }
    if missing := sorted(set(wanted) - set(named)):
        raise UsageError(
            f"{path}: no column {', '.join(missing)}", f"Its columns are {', '.join(names)}"
        )
    return named


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def _spelled(columns: ClaimColumns, named: Mapping[str, str]) -> ClaimColumns:
    return replace(columns, key=named[columns.key], view=named[columns.view])
