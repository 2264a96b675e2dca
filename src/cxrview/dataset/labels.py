"""Reads a labels file, the one form everywhere: CSV with `file, patient, view[, study, source]`."""

import os.path
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cxrview.dataset.split import partition_of
from cxrview.errors import UsageError
from cxrview.image.dicom.elements import LONGEST, clean
from cxrview.image.dicom.view_position import HeaderViewTable, load_table, normal, view_of_word
from cxrview.records import HeaderFacts, Label, NotChest
from cxrview.sources.csv_rows import FILE_COLUMNS, PATIENT_COLUMNS, VIEW_COLUMNS, read_csv
from cxrview.sources.listed_file import RELATIVE, found_name, is_of_windows
from cxrview.sources.patient_source import PatientSource
from cxrview.terms import View

NOT_CHEST = "not-chest"
"""Written for images that show no chest; a labels file may hold them, a view study leaves them."""
NO_VIEW = "no-view"
"""Written for images that readers excluded or gave a label that is no view; passed over."""
FAULTS_NAMED = 10
"""More than ten faults have one cause as a rule, such as a wrong folder."""
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
        path: the CSV as `read_csv` reads it; columns `file` (relative to the CSV), `patient` and
            `view` are needed, `study` and `source` are not, others are passed over. Views are
            those of `view_of_word`, such as `frontal`, `PA` or `LATERAL`.
        patients: where patients are told from in place of the column `patient`; what it does not
            tell, that column does.
        need_patients: refuse images without a patient. Else theirs is empty, which stages that
            keep a patient's images together refuse.

    Raises:
        UsageError: the file cannot be read, a column is missing, or a line is at fault: its
            view is unknown, its patient has no name, its file does not exist or was named
            before. The message gives the first ten such lines and how many more there are.
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
    """A view, NOT_CHEST or NO_VIEW, whatever its capitals and dashes; None of any other text."""
    if view := view_of_word(text):
        return view
    return _NEITHER.get(normal(text))


def _checked_rows(
    path: Path, wanted: frozenset[str], patients: PatientSource, need_patients: bool
) -> list[dict[str, str]]:
    """The rows of those views; of the others it is checked only that they are well formed."""
    rows: list[dict[str, str]] = []
    faults: list[str] = []
    first_line: dict[str, int] = {}
    for number, row in _rows(path, patients, need_patients):
        row["file"] = found_name(row["file"], lambda name: (path.parent / name).is_file())
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
    """Each row with the number of the line where it ends; empty text for a cell that is missing."""
    is_told = need_patients and not patients
    found = read_csv(path, _NAMES, needed=("file", "view", *(["patient"] if is_told else [])))
    # Readings of the model in place of labels would teach a network what the model says anyway.
    if {"decision", "pfi"} <= set(found.columns):
        raise UsageError(
            f"{path} is a result of cxrview classify: its views are the model's and no labels",
            "Let readers label its images with cxrview annotate create --from, and export these",
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
    # First of all: a comma in a patient's name, not quoted, would show the rest of it as a view.
    if None in row:
        return "more cells than columns"
    if says is None:
        return f"view {row['view']!r} is neither frontal nor lateral"
    first = first_line.setdefault(os.path.normpath(row["file"]), number)
    if first != number:
        return f"file {row['file']} is that of line {first}"
    if says not in wanted:
        return None
    if need_patients and not row["patient"]:
        return "no patient"
    if (folder / row["file"]).is_file():
        return None
    return f"no file {row['file']}" + (f" ({RELATIVE})" if is_of_windows(row["file"]) else "")


def _label(row: dict[str, str]) -> Label:
    return Label(
        file=row["file"],
        source=row.get("source") or "",
        study=row.get("study") or "",
        patient=row["patient"],
        view=View(row["view"]),
        partition=partition_of(row["patient"]) if row["patient"] else None,
    )


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
    for number, row in _header_rows(path):
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


def _header_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the number of the line where it ends; empty text for a cell that is missing."""
    names: dict[str, Sequence[str]] = {name: () for name in (MANUFACTURER, POSITION, CODE)}
    found = read_csv(path, {"file": FILE_COLUMNS, **names}, needed=("file", *names))
    yield from found.rows
