"""Read a CSV file with any usual separator, encoding and spelling of column names."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from cxrview.errors import UsageError

FILE_COLUMNS = ("file", "path", "filename", "image", "image path", "image file")
"""Names of the column of image files in users' tables; the first is ours."""
VIEW_COLUMNS = ("view", "label", "projection", "view position")
"""Names of the column of views."""
PATIENT_COLUMNS = ("patient", "patient key", "patient id")
"""Names of the column of patients."""

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""First bytes of .xlsx and .ods, and of .xls."""
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRows:
    """A CSV file whose first line was read."""

    columns: tuple[str, ...]
    """Names in the file."""
    named: Mapping[str, str]
    """Maps requested names to names in the file; missing columns are left out."""
    columns_in_words: str
    """Description of the file's columns, as advice if one is missing."""
    rows: Iterator[tuple[int, Row]] = field(repr=False)
    """For each row the number of its last line, and its cells by the names in the file and the
    requested names. Missing cells are empty; cells beyond the last column have the key None. Rows
    with empty cells only, as Excel writes them, are left out."""


def read_csv(
    path: Path, names: Mapping[str, Sequence[str]], *, needed: Collection[str] = ()
) -> CsvRows:
    """Read a table with columns separated by commas, semicolons or tabs.

    The separator is the one with which most of `names` are found in the first line, or that of
    Excel's line `sep=;`. A column is found by its name, regardless of capitals, spaces and
    underscores, or else by one of its other names.

    Args:
        path: in UTF-8, with a byte order mark or without, or in UTF-16 with one ("Unicode text" of
            Excel); `.csv.gz` is gzipped.
        names: columns to find, each with its other names.
        needed: those of `names` that must exist.

    Raises:
        UsageError: the file cannot be read, or a needed column is missing; also later, during the
            iteration over the rows.
    """
    with _raising_usage_error(path), _opened(path) as lines:
        form = _form(lines, names)
    if missing := sorted(set(needed) - set(form.named)):
        raise UsageError(f"{path}: no column {', '.join(missing)}", _columns_in_words(form))
    rows = _rows(path, form)
    return CsvRows(
        columns=form.columns, named=form.named, columns_in_words=_columns_in_words(form), rows=rows
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    separator: str
    has_sep_line: bool
    columns: tuple[str, ...]
    named: Mapping[str, str]


def _form(lines: IO[str], names: Mapping[str, Sequence[str]]) -> _Form:
    first = lines.readline()
    declared = re.fullmatch(r"sep=(.)\s*", first, re.IGNORECASE)
    forms = []
    for separator in declared[1] if declared else _SEPARATORS:
        lines.seek(0)
        if declared:
            lines.readline()
        cells = next(csv.reader(lines, delimiter=separator), [])
        columns = tuple(cell.strip() for cell in cells)
        named = _named(columns, names)
        forms.append(
            _Form(separator=separator, has_sep_line=bool(declared), columns=columns, named=named)
        )
    return max(forms, key=lambda form: (len(form.named), len(form.columns)))  # of equals, commas


def _named(columns: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Map requested names to columns; exact names first."""
    plain: dict[str, str] = {}
    for column in columns:
        plain.setdefault(_plain(column), column)
    named = {}
    for name, others in names.items():
        if name in columns:
            named[name] = name
            continue
        found = (plain[_plain(other)] for other in (name, *others) if _plain(other) in plain)
        if found_column := next(found, None):
            named[name] = found_column
    return named


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def _columns_in_words(form: _Form) -> str:
    """Describe the columns; without their names if the first line may be the row of a patient."""
    parted = _SEPARATORS.get(form.separator, form.separator)
    if not form.named:
        cells = (
            f"{len(form.columns)} cells separated by {parted}" if form.columns[1:] else "one cell"
        )
        return f"Its first line, {cells}, has no known column name"
    names = ", ".join(column or "(no name)" for column in form.columns)
    return f"Its columns, separated by {parted}, are {names}"


def _rows(path: Path, form: _Form) -> Iterator[tuple[int, Row]]:
    with _raising_usage_error(path), _opened(path) as lines:
        if form.has_sep_line:
            lines.readline()
        reader = csv.DictReader(lines, form.columns, restval="", delimiter=form.separator)
        next(reader, None)
        for row in reader:
            number = reader.line_num + form.has_sep_line
            if None in row and not any(row[None]):  # empty cells beyond the last column
                del row[None]
            if any(row.values()):
                yield number, row | {name: row[column] for name, column in form.named.items()}


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    is_zipped = path.name.lower().endswith(".gz")
    with gzip.open(path) if is_zipped else path.open("rb") as data:
        head = data.read(4)
        data.seek(0)
        if head.startswith(_WORKBOOKS):
            raise UsageError(f"{path} is a workbook, not a CSV file", "Save its sheet as CSV UTF-8")
        is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding = "utf-16" if is_utf16 else "utf-8-sig"
        with io.TextIOWrapper(data, encoding=encoding, newline="") as lines:
            yield lines


@contextmanager
def _raising_usage_error(path: Path) -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{path} is not a gzip file, or is incomplete", "Copy it again") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeError, csv.Error) as error:
        raise UsageError(
            f"{path} is not a UTF-8 CSV file", "Save it as such; Excel calls it CSV UTF-8"
        ) from error
