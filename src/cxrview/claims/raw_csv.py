"""Copies a CSV file with more cells at the end of each row; what was there keeps every byte."""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cxrview.atomic_files import atomic_path, raising_cannot_write
from cxrview.errors import UsageError

_SEPARATORS = ",;\t"
_LINE_END = re.compile(r"(\r\n|\n|\r)?\Z")
_SEP_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_BYTE_ORDER_MARK = "\ufeff"


def add_cells(
    source: Path,
    out: Path,
    columns: Sequence[str],
    added: Sequence[str],
    cells: Callable[[Mapping[str, str]], Sequence[str]],
) -> None:
    """Write a CSV file again with more columns at its end.

    Separator, encoding, quotes and line ends stay as they are. A row with fewer cells than columns
    is filled up; empty lines stay empty.

    Args:
        source: the file; `.gz` is gzipped.
        out: the new file; gzipped if its name ends in `.gz`.
        columns: of the source, as `sources.csv_rows.read_csv` gives them.
        added: names of the new columns.
        cells: gives the new cells of a row, which it gets by the names of `columns`.

    Raises:
        UsageError: a row has more cells than columns, or a quote that is not closed.
        CannotWrite: the disk is full or fails.
    """
    encoding = _encoding(source)
    with _reading(source, encoding) as lines:
        first = lines.readline()
        told = _SEP_LINE.fullmatch(first.removeprefix(_BYTE_ORDER_MARK))
        head = lines.readline() if told else first
        separator = _separator(source, head, columns, told[1] if told else _SEPARATORS)
        with _writing(out, encoding) as target:
            target.write((first if told else "") + _longer(head, added, separator))
            for number, (raw, row) in enumerate(_records(lines, separator), start=2):
                if len(row) > len(columns):
                    raise UsageError(
                        f"{source}: row {number} has {len(row)} cells, and the first row has "
                        f"{len(columns)}",
                        "Give every column a name in the first row",
                    )
                if row:
                    row += [""] * (len(columns) - len(row))
                    new = cells(dict(zip(columns, row, strict=True)))
                    missing = len(row) - _count(raw, separator)
                    raw = _longer(raw, [*[""] * missing, *new], separator)
                    if '"' in raw and _cells(raw, separator) != [*row, *new]:
                        raise UsageError(
                            f"{source}: row {number} has a quote that is not closed", "Close it"
                        )
                target.write(raw)


def is_gzipped(path: Path) -> bool:
    """Whether a file is gzipped by its name."""
    return path.name.lower().endswith(".gz")


def _records(lines: IO[str], separator: str) -> Iterator[tuple[str, list[str]]]:
    """The text of each row as it stands, and its cells; a quoted cell may span lines."""
    taken: list[str] = []

    def each_line() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    for row in csv.reader(each_line(), delimiter=separator):
        yield "".join(taken), row
        taken.clear()


def _separator(source: Path, head: str, columns: Sequence[str], known: str) -> str:
    plain = head.removeprefix(_BYTE_ORDER_MARK)
    for separator in known:
        if [cell.strip() for cell in _cells(plain, separator)] == list(columns):
            return separator
    raise UsageError(
        f"the first row of {source} spans several lines", "Write its column names on one line"
    )


def _cells(text: str, separator: str) -> list[str]:
    return next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])


def _count(raw: str, separator: str) -> int:
    return len(_cells(raw, separator)) if '"' in raw else raw.count(separator) + 1


def _longer(raw: str, added: Sequence[str], separator: str) -> str:
    """A row as it stands with more cells before its line end."""
    end = _LINE_END.search(raw)
    at = end.start() if end else len(raw)
    more = io.StringIO()
    csv.writer(more, delimiter=separator, lineterminator="").writerow(["", *added])
    return raw[:at] + more.getvalue() + raw[at:]


def _encoding(source: Path) -> str:
    """UTF-8, or UTF-16 by its byte order mark, which is kept as the first character."""
    with gzip.open(source) if is_gzipped(source) else source.open("rb") as data:
        start = data.read(2)
    marks = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
    return marks.get(start, "utf-8")


@contextmanager
def _reading(source: Path, encoding: str) -> Iterator[IO[str]]:
    try:
        with gzip.open(source) if is_gzipped(source) else source.open("rb") as data:
            yield io.TextIOWrapper(data, encoding=encoding, newline="")
    except (EOFError, zlib.error, UnicodeError, csv.Error) as error:
        raise UsageError(f"{source} is damaged, or is not a CSV file", "Copy it again") from error


@contextmanager
def _writing(out: Path, encoding: str) -> Iterator[IO[str]]:
    with raising_cannot_write(out), atomic_path(out) as part, part.open("wb") as file:
        # No name and no time: the same table gives the same bytes.
        packed = gzip.GzipFile("", "wb", 6, file, mtime=0) if is_gzipped(out) else file
        with packed, io.TextIOWrapper(packed, encoding=encoding, newline="") as text:
            yield text
