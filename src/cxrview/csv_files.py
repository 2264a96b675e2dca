"""Read and write CSV files of cxrview itself: UTF-8, commas, one header line, LF line ends.

Users' tables, with other separators, encodings or column names, are read by `sources.csv_rows`.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ENCODING = "utf-8"
_ENCODING_READ = "utf-8-sig"
"""Excel writes a byte order mark, which would be read as part of the first column's name."""


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file, replacing an existing one, not atomically.

    Args:
        path: file to write; pass that of `atomic_path` to write atomically.
        columns: the header line.
        rows: a cell for each column; None is written as an empty cell.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("w", newline="", encoding=ENCODING) as file:
        plain = csv.writer(file, lineterminator="\n")
        quoted = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
        plain.writerow(columns)
        for row in rows:
            # Python writes a lone carriage return unquoted, which every reader takes for a line
            # end.
            has_return = any(isinstance(cell, str) and "\r" in cell for cell in row)
            (quoted if has_return else plain).writerow(row)


def read_csv_columns(path: Path) -> list[str]:
    """Return the column names of a CSV file; an empty list if the file is empty.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not UTF-8.
        csv.Error: the file is not CSV.
    """
    with path.open(newline="", encoding=_ENCODING_READ) as file:
        return next(csv.reader(file), [])


def read_csv_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file as dictionaries by column.

    A row with fewer cells than columns has None for the others.

    Raises:
        OSError, ValueError, csv.Error: as `read_csv_columns`, also later, while rows are read.
    """
    with path.open(newline="", encoding=_ENCODING_READ) as file:
        yield from csv.DictReader(file)
