"""CSV files of cxrview itself: UTF-8, commas, one header line, lines that end with a line feed.

Tables that people make, with other separators, encodings or names, are read by `sources.csv_rows`.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

ENCODING = "utf-8"


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file, replacing an existing one; not atomically by itself.

    Args:
        path: file to write, such as that of `atomic_path`.
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
            # Python writes a lone carriage return bare, which every reader takes for a line's end.
            has_return = any(isinstance(cell, str) and "\r" in cell for cell in row)
            (quoted if has_return else plain).writerow(row)


def read_csv_columns(path: Path) -> list[str]:
    """The header line of a CSV file; empty where the file is.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not UTF-8.
        csv.Error: the file is not CSV.
    """
    with path.open(newline="", encoding=ENCODING) as file:
        return next(csv.reader(file), [])


def read_csv_rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a CSV file by the names of its columns, one by one.

    A row with fewer cells than columns has None for the others.

    Raises:
        OSError, ValueError, csv.Error: as `read_csv_columns`, also later, while rows are read.
    """
    with path.open(newline="", encoding=ENCODING) as file:
        yield from csv.DictReader(file)
