"""Reads a labels file: CSV with `file, patient, view[, source]`, `file` relative to the CSV."""

import csv
from pathlib import Path

from cxrview.dataset.partition import partition_of
from cxrview.errors import UsageError
from cxrview.records import Label
from cxrview.terms import View

NOT_CHEST = "not-chest"
"""Written for images that show no chest; a labels file may hold them, a view study leaves them."""


def read_labels(path: Path) -> list[Label]:
    """Read every frontal and lateral row, in the file's order, with its partition.

    Args:
        path: the CSV; columns `file`, `patient` and `view` are needed, `source` is not.

    Raises:
        UsageError: a column is missing, a view is unknown, a patient has no name or a file
            does not exist. The message names every such line, up to ten.
    """
    with path.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines)
        missing = {"file", "patient", "view"} - set(rows.fieldnames or ())
        if missing:
            raise UsageError(f"{path}: no column {', '.join(sorted(missing))}")
        labels, faults = [], []
        for number, row in enumerate(rows, start=2):
            if row["view"] == NOT_CHEST:
                continue
            fault = _fault(row, path.parent)
            if fault:
                faults.append(f"line {number}: {fault}")
            else:
                labels.append(_label(row))
    if faults:
        more = f" and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise UsageError(f"{path}: {'; '.join(faults[:10])}{more}")
    return labels


def _fault(row: dict[str, str], folder: Path) -> str | None:
    if row["view"] not in set(View):
        return f"view {row['view']!r} is neither frontal nor lateral"
    if not row["patient"]:
        return "no patient"
    return None if (folder / row["file"]).is_file() else f"no file {row['file']}"


def _label(row: dict[str, str]) -> Label:
    return Label(
        file=row["file"],
        source=row.get("source") or "",
        patient=row["patient"],
        view=View(row["view"]),
        partition=partition_of(row["patient"]),
    )
