"""Reads what headers told from a table beside the pictures: CSV, one row an image."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.image.dicom.elements import LONGEST, clean
from cxrview.image.dicom.view_position import HeaderViewTable, load_table
from cxrview.records import HeaderFacts
from cxrview.sources.csv_rows import FILE_COLUMNS, read_csv

MANUFACTURER, POSITION, CODE = "Manufacturer", "View Position", "View Code Sequence"
"""Columns are named as pydicom names elements: (0008,0070), (0018,5101) and (0054,0220)."""


def read_headers(path: Path) -> Mapping[str, HeaderFacts]:
    """Read the manufacturer and the claimed view of each image; every other column is passed over.

    Args:
        path: as `read_csv` reads it, `.csv` or gzipped as `.csv.gz`; columns `file` (as in the
            labels file), `Manufacturer`, `View Position` and `View Code Sequence`, the last as
            pydicom prints it. An empty cell is a header that is silent.

    Returns:
        File to what its header says, the view by the shipped mapping table. A file that is named
        with backslashes stands there with slashes, too.

    Raises:
        UsageError: the table cannot be read, lacks a column, or names a file twice.
    """
    table = load_table()
    headers: dict[str, HeaderFacts] = {}
    for number, row in _rows(path):
        if row["file"] in headers:
            raise UsageError(f"{path}: line {number} names a file that was named before")
        headers[row["file"]] = _facts(row, table)
    return {name.replace("\\", "/"): facts for name, facts in headers.items()} | headers


def view_code(printed: str) -> str:
    """First item of View Code Sequence as `value^scheme`; empty for an empty sequence.

    Args:
        printed: the sequence as pydicom prints it, one line an element.
    """
    found = re.search(r"Code Value\s+SH: '(.*?)'.*?Scheme Designator\s+SH: '(.*?)'", printed, re.S)
    return "^".join(found.groups()) if found else ""


def _facts(row: Mapping[str, str], table: HeaderViewTable) -> HeaderFacts:
    view, _ = table.view_of(_text(row[POSITION]), view_code(row[CODE]))
    return HeaderFacts(manufacturer=_text(row[MANUFACTURER]), view=view)


def _text(cell: str) -> str:
    """As `image.header.Header.text` would have read it from the file."""
    return clean(cell)[:LONGEST].rstrip()


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the number of the line where it ends; empty text for a cell that is missing."""
    names: dict[str, Sequence[str]] = {name: () for name in (MANUFACTURER, POSITION, CODE)}
    found = read_csv(path, {"file": FILE_COLUMNS, **names}, needed=("file", *names))
    yield from found.rows
