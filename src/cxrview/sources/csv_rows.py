"""Reads a CSV as people make them: with any usual separator, encoding and spelling of columns."""

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
"""Names that a column of image files has in tables that people make; the first is ours."""
VIEW_COLUMNS = ("view", "label", "projection", "view position")
"""The same of a column of views."""
PATIENT_COLUMNS = ("patient", "patient key", "patient id")
"""The same of a column of patients."""

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx and .ods, and .xls begin."""
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRows:
    """A CSV whose first line was read."""

    columns: tuple[str, ...]
    """As they are called in the file."""
    named: Mapping[str, str]
    """Name that was asked for to the column that it is; without those that are not there."""
    told: str
    """What there is, in words, as advice where a column is missing."""
    rows: Iterator[tuple[int, Row]] = field(repr=False)
    """Number of the line where a row ends, and its cells by the file's names and by those that were
    asked for. A cell that is missing is empty; cells beyond the last column have the key None.
    Rows of which every cell is empty are left out, since Excel writes such."""


def read_csv(
    path: Path, names: Mapping[str, Sequence[str]], *, needed: Collection[str] = ()
) -> CsvRows:
    """Read a table whose columns are parted by commas, semicolons or tabs.

    Of the separators that is taken by which most of `names` are found in the first line; Excel's
    line `sep=;` is obeyed. A column is found by its name, else by it in other capitals, with other
    spaces or underscores, else by one of its other names.

    Args:
        path: in UTF-8, with a byte order mark or without, or in UTF-16 with one ("Unicode text" of
            Excel); `.csv.gz` is gzipped.
        names: of the columns that are looked for, each with its other names.
        needed: those of `names` that must be there.

    Raises:
        UsageError: the file cannot be read, or a needed column is missing; also later, while rows
            are taken.
    """
    with _telling(path), _opened(path) as lines:
        form = _form(lines, names)
    if missing := sorted(set(needed) - set(form.named)):
        raise UsageError(f"{path}: no column {', '.join(missing)}", _told(form))
    rows = _rows(path, form)
    return CsvRows(columns=form.columns, named=form.named, told=_told(form), rows=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    separator: str
    has_sep_line: bool
    columns: tuple[str, ...]
    named: Mapping[str, str]


def _form(lines: IO[str], names: Mapping[str, Sequence[str]]) -> _Form:
    first = lines.readline()
    told = re.fullmatch(r"sep=(.)\s*", first, re.IGNORECASE)
    forms = []
    for separator in told[1] if told else _SEPARATORS:
        lines.seek(0)
        if told:
            lines.readline()
        cells = next(csv.reader(lines, delimiter=separator), [])
        columns = tuple(cell.strip() for cell in cells)
        named = _named(columns, names)
        forms.append(
            _Form(separator=separator, has_sep_line=bool(told), columns=columns, named=named)
        )
    return max(forms, key=lambda form: (len(form.named), len(form.columns)))  # of equals, commas


def _named(columns: Sequence[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Name asked for to column; exact names first, so that none is taken for another's."""
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


def _told(form: _Form) -> str:
    """What there is; not in words where the first line may be a row of some patient."""
    parted = _SEPARATORS.get(form.separator, form.separator)
    if not form.named:
        cells = f"{len(form.columns)} cells parted by {parted}" if form.columns[1:] else "one cell"
        return f"Its first line, {cells}, holds no known name of a column"
    names = ", ".join(column or "(no name)" for column in form.columns)
    return f"Its columns, parted by {parted}, are {names}"


def _rows(path: Path, form: _Form) -> Iterator[tuple[int, Row]]:
    with _telling(path), _opened(path) as lines:
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
            raise UsageError(f"{path} is a workbook and no CSV", "Save its sheet as CSV UTF-8")
        is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        encoding = "utf-16" if is_utf16 else "utf-8-sig"
        with io.TextIOWrapper(data, encoding=encoding, newline="") as lines:
            yield lines


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"{path} is not gzipped, or not whole", "Copy it again") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeError, csv.Error) as error:
        raise UsageError(
            f"{path} is no CSV in UTF-8", "Save it as one; Excel calls it CSV UTF-8"
        ) from error
