"""Reads labels files (CSV with `file, patient, view[, study, source]`) and tables of headers."""

import os.path
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cxrview.dataset.split import partition_of
from cxrview.errors import UsageError
from cxrview.image.dicom.elements import LONGEST, clean
from cxrview.image.dicom.view_position import HeaderViewTable, load_table, normal, view_of_word
from cxrview.records.dataset import HeaderFacts, Label, NotChest
from cxrview.sources.csv_rows import FILE_COLUMNS, PATIENT_COLUMNS, VIEW_COLUMNS, read_csv
from cxrview.sources.patient_source import PatientSource
from cxrview.sources.windows_paths import RELATIVE, existing_name, is_windows_path
from cxrview.terms import View

NOT_CHEST = "not-chest"
"""The label of images without a chest; only trainings with the output `chest` use them."""
NO_VIEW = "no-view"
"""The label of images that readers excluded or gave a label other than a view; ignored."""
FAULTS_NAMED = 10
"""More faults usually have one common cause, such as a wrong folder."""
MANUFACTURER, POSITION, CODE = "Manufacturer", "View Position", "View Code Sequence"
"""Columns named like the elements in pydicom: (0008,0070), (0018,5101) and (0054,0220)."""
_NEITHER = {normal(word): word for word in (NOT_CHEST, NO_VIEW)}
_NAMES = {
    "file": FILE_COLUMNS,
    "view": VIEW_COLUMNS,
    "patient": PATIENT_COLUMNS,
    "study": (),
    "source": (),
}


def read_labels(
    path: Path, *, patients: PatientSource | None = None, need_patients: bool = True
) -> list[Label]:
    """Read every frontal and lateral row, in the file's order, with its partition.

    Args:
        path: CSV file for `read_csv`; columns `file` (relative to the CSV), `patient` and `view`
            are required, `study` and `source` are optional, others are ignored. Views are
            those of `view_of_word`, such as `frontal`, `PA` or `LATERAL`.
        patients: finds patients without the column `patient`, which is the fallback.
        need_patients: refuse images without a patient. Otherwise their patient is empty, which
            stages that keep a patient's images together refuse.

    Raises:
        UsageError: the file cannot be read, a column is missing, or a line is not valid: its
            view is unknown, its patient is empty, its file does not exist or is repeated. The
            message gives the first ten such lines and the number of the others.
    """
    rows = _checked_rows(path, frozenset(View), patients or PatientSource(), need_patients)
    return [_label(row) for row in rows]


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
        for row in _checked_rows(path, frozenset({NOT_CHEST}), PatientSource(), True)
    ]


def label_word(text: str) -> View | str | None:
    """Read a view, NOT_CHEST or NO_VIEW in any case and with any dashes; None of other text."""
    if view := view_of_word(text):
        return view
    return _NEITHER.get(normal(text))


def _checked_rows(
    path: Path, wanted: frozenset[str], patients: PatientSource, need_patients: bool
) -> list[dict[str, str]]:
    """Give the rows of the wanted labels; other rows are only checked for their form."""
    rows: list[dict[str, str]] = []
    faults: list[str] = []
    first_line: dict[str, int] = {}
    for number, row in _rows(path, patients, need_patients):
        row["file"] = existing_name(row["file"], lambda name: _is_file(path.parent / name))
        row["patient"] = patients.find(row["file"], row) or row.get("patient", "").strip()
        says = label_word(row["view"])
        fault = _fault(row, says, path.parent, number, first_line, wanted, need_patients)
        if fault:
            faults.append(f"line {number}: {fault}")
        elif says in wanted:
            rows.append(row | {"view": str(says)})
    if faults:
        more = len(faults) - FAULTS_NAMED
        tail = f"; and {more} more" if more > 0 else ""
        raise UsageError(f"{path}: {'; '.join(faults[:FAULTS_NAMED])}{tail}")
    return rows


def _rows(
    path: Path, patients: PatientSource, need_patients: bool
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with the number of its last line; missing cells are empty."""
    needs_column = need_patients and not patients
    found = read_csv(path, _NAMES, needed=("file", "view", *(["patient"] if needs_column else [])))
    # A model must not be trained on the predictions of a model.
    if {"decision", "pfi"} <= set(found.columns):
        raise UsageError(
            f"{path} is a result of cxrview classify: its views are predictions and not labels",
            "Label its images with cxrview annotate create --from, and export the labels",
        )
    patients.need_column(dict.fromkeys(found.columns), path)
    yield from found.rows


def _fault(
    row: dict[str, str],
    says: View | str | None,
    folder: Path,
    number: int,
    first_line: dict[str, int],
    wanted: frozenset[str],
    need_patients: bool,
) -> str | None:
    # First, since with an unquoted comma in a patient's name the message would print it as view.
    if None in row:
        return "more cells than columns"
    if says is None:
        return f"view {row['view']!r} is neither frontal nor lateral"
    first = first_line.setdefault(os.path.normpath(row["file"]), number)
    if first != number:
        return f"file {row['file']} is already in line {first}"
    if says not in wanted:
        return None
    if need_patients and not row["patient"]:
        return "no patient"
    if _is_file(folder / row["file"]):
        return None
    return f"file {row['file']} does not exist" + (
        f" ({RELATIVE})" if is_windows_path(row["file"]) else ""
    )


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 (Path's raises for a long name)


def _label(row: dict[str, str]) -> Label:
    return Label(
        file=row["file"],
        source=row.get("source") or "",
        study=row.get("study") or "",
        patient=row["patient"],
        view=View(row["view"]),
        partition=partition_of(row["patient"]) if row["patient"] else None,
    )


def read_headers(path: Path) -> Mapping[str, HeaderFacts]:
    """Read manufacturer and view of each image from a table of headers; ignore other columns.

    Args:
        path: `.csv` or `.csv.gz` file for `read_csv`; columns `file` (as in the labels file),
            `Manufacturer`, `View Position` and `View Code Sequence`, the last as pydicom prints
            it. An empty cell is an element without a value.

    Returns:
        Facts by file, with the view by the shipped mapping table. A file name with backslashes is
            also a key with slashes.

    Raises:
        UsageError: the table cannot be read, lacks a column, or repeats a file.
    """
    table = load_table()
    headers: dict[str, HeaderFacts] = {}
    for number, row in _header_rows(path):
        if row["file"] in headers:
            raise UsageError(f"{path}: line {number} repeats a file")
        headers[row["file"]] = _facts(row, table)
    return {name.replace("\\", "/"): facts for name, facts in headers.items()} | headers


def view_code(printed: str) -> str:
    """Give the first item of View Code Sequence as `value^scheme`; empty for an empty sequence.

    Args:
        printed: the sequence as pydicom prints it, one line per element.
    """
    found = re.search(r"Code Value\s+SH: '(.*?)'.*?Scheme Designator\s+SH: '(.*?)'", printed, re.S)
    return "^".join(found.groups()) if found else ""


def _facts(row: Mapping[str, str], table: HeaderViewTable) -> HeaderFacts:
    view, _ = table.view_of(_text(row[POSITION]), view_code(row[CODE]))
    return HeaderFacts(manufacturer=_text(row[MANUFACTURER]), view=view)


def _text(cell: str) -> str:
    """Clean a value as it would be read from the file itself."""
    return clean(cell)[:LONGEST].rstrip()


def _header_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with the number of its last line; missing cells are empty."""
    names: dict[str, Sequence[str]] = {name: () for name in (MANUFACTURER, POSITION, CODE)}
    found = read_csv(path, {"file": FILE_COLUMNS, **names}, needed=("file", *names))
    yield from found.rows
