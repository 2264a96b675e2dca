"""Reads a labels file, the one form everywhere: CSV with `file, patient, view[, study, source]`."""

import csv
import os.path
from collections.abc import Iterator
from pathlib import Path

from cxrview.dataset.partition import partition_of
from cxrview.errors import UsageError
from cxrview.records import Label, NotChest
from cxrview.terms import View

NOT_CHEST = "not-chest"
"""Written for images that show no chest; a labels file may hold them, a view study leaves them."""
NO_VIEW = "no-view"
"""Written for images that readers excluded or gave a label that is no view; passed over."""
FAULTS_NAMED = 10
"""More than ten faults have one cause as a rule, such as a wrong folder."""


def read_labels(path: Path) -> list[Label]:
    """Read every frontal and lateral row, in the file's order, with its partition.

    Args:
        path: the CSV, UTF-8; columns `file` (relative to the CSV), `patient` and `view` are
            needed, `study` and `source` are not, others are passed over.

    Raises:
        UsageError: the file cannot be read, a column is missing, or a line is at fault: its
            view is unknown, its patient has no name, its file does not exist or was named
            before. The message gives the first ten such lines and how many more there are.
    """
    return [_label(row) for row in _checked_rows(path, frozenset(View))]


def read_not_chest(path: Path) -> list[NotChest]:
    """Read every row that says `not-chest`, in the file's order, with its partition.

    Args:
        path: as for `read_labels`.

    Raises:
        UsageError: as `read_labels`, of these rows.
    """
    return [
        NotChest(
            file=row["file"],
            source=row.get("source") or "",
            patient=row["patient"],
            partition=partition_of(row["patient"]),
        )
        for row in _checked_rows(path, frozenset({NOT_CHEST}))
    ]


def _checked_rows(path: Path, wanted: frozenset[str]) -> list[dict[str, str]]:
    """The rows of those views; of the others it is checked only that they are well formed."""
    rows: list[dict[str, str]] = []
    faults: list[str] = []
    first_line: dict[str, int] = {}
    for number, row in _rows(path):
        fault = _fault(row, path.parent, number, first_line, wanted)
        if fault:
            faults.append(f"line {number}: {fault}")
        elif row["view"] in wanted:
            rows.append(row)
    if faults:
        more = len(faults) - FAULTS_NAMED
        tail = f"; and {more} more" if more > 0 else ""
        raise UsageError(f"{path}: {'; '.join(faults[:FAULTS_NAMED])}{tail}")
    return rows


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the number of the line where it ends; empty text for a cell that is missing."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines, restval="")
            missing = {"file", "patient", "view"} - set(reader.fieldnames or ())
            if missing:
                raise UsageError(f"{path}: no column {', '.join(sorted(missing))}")
            for row in reader:
                yield reader.line_num, row
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path} is no CSV in UTF-8", "Save it as one") from error


def _fault(
    row: dict[str, str],
    folder: Path,
    number: int,
    first_line: dict[str, int],
    wanted: frozenset[str],
) -> str | None:
    # First of all: a comma in a patient's name, not quoted, would show the rest of it as a view.
    if None in row:
        return "more cells than columns"
    if row["view"] not in {*View, NOT_CHEST, NO_VIEW}:
        return f"view {row['view']!r} is neither frontal nor lateral"
    first = first_line.setdefault(os.path.normpath(row["file"]), number)
    if first != number:
        return f"file {row['file']} is that of line {first}"
    if row["view"] not in wanted:
        return None
    if not row["patient"].strip():
        return "no patient"
    return None if (folder / row["file"]).is_file() else f"no file {row['file']}"


def _label(row: dict[str, str]) -> Label:
    return Label(
        file=row["file"],
        source=row.get("source") or "",
        study=row.get("study") or "",
        patient=row["patient"],
        view=View(row["view"]),
        partition=partition_of(row["patient"]),
    )
