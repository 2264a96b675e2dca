"""Reads and writes tables: Parquet, CSV or JSON lines, complete or not at all."""

import csv
import json
import math
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from cxrview.atomic_files import PART, atomic_path, raising_cannot_write, sync_folder
from cxrview.csv_files import read_csv_columns, read_csv_rows, write_csv
from cxrview.errors import UsageError
from cxrview.results.columns import COLUMNS, FAILURE_COLUMNS, MERGED_COLUMNS, Row

ROW_GROUP = 10_000
"""Number of rows in memory at a time."""
READ_AT_A_TIME = 1_000
_INTEGERS = frozenset(name for name, kind in MERGED_COLUMNS.items() if kind.startswith("int"))


def table_format(path: Path) -> str:
    """Return the format of a table by the ending of its name.

    Raises:
        UsageError: the ending is not .parquet, .csv or .jsonl.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in _WRITERS:
        raise UsageError(
            f"{path} does not end in .parquet, .csv or .jsonl",
            "Choose such a name, one with / at its end for a folder, or - for standard output",
        )
    return ending


def write_table(path: Path, rows: Iterable[Row], columns: Mapping[str, str] = COLUMNS) -> None:
    """Write rows with the columns of a result, in the format of the name.

    The file appears under its name only when it is complete; a file of that name is replaced.

    Args:
        path: .parquet, .csv or .jsonl.
        rows: with those columns.
        columns: name to Arrow type: COLUMNS or MERGED_COLUMNS.
    """
    write = _WRITERS[table_format(path)]
    with atomic_path(path) as part:
        write(part, rows, columns)


def write_failures(path: Path, rows: Iterable[Row]) -> None:
    """Write failure rows as CSV; only the header line if there are none."""
    with atomic_path(path) as part:
        _write_csv(part, rows, FAILURE_COLUMNS)


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """Write the counts of a run as indented JSON."""
    with atomic_path(path) as part:
        part.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def write_json_lines(out: IO[str], rows: Iterable[Row]) -> None:
    """Write one JSON object per line."""
    for row in rows:
        out.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_rows(path: Path, most: int) -> list[Row]:
    """Read the first rows of a table in any of the formats, with the types of COLUMNS."""
    return list(islice(each_row(path), most))


def each_row(path: Path, columns: Sequence[str] = tuple(COLUMNS)) -> Iterator[Row]:
    """Yield the rows of a result, with the types of COLUMNS.

    Args:
        path: a table in any of the formats, or a folder of Parquet parts.
        columns: some of MERGED_COLUMNS; the value is None if the table has no such column.

    Raises:
        UsageError: the table does not exist, or is not a result.
    """
    for file in files_of(path):
        with reading(file):
            for row in _READERS[table_format(file)](file, columns):
                if "path" in row and not row["path"]:
                    raise ValueError("a row has no path")
                yield row


def files_of(table: Path) -> list[Path]:
    """Return the files of a result: the table itself, or the Parquet parts of a folder in order.

    Raises:
        UsageError: the table does not exist, or the folder has no part.
    """
    if not table.exists():
        raise UsageError(f"result {table} does not exist", "Check the name")
    files = sorted(table.glob("*.parquet")) if table.is_dir() else [table]
    if not files:
        raise UsageError(f"folder {table} holds no Parquet files", "Check the name")
    return files


def has_column(table: Path, name: str) -> bool:
    """Whether a result has a column, such as `view_origin` of a merged one.

    Raises:
        UsageError: the table does not exist, or is not a result.
    """
    file = files_of(table)[0]
    with reading(file):
        return name in _NAMES[table_format(file)](file)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Raise UsageError for the errors of reading a file that is not a result."""
    try:
        yield
    # ValueError: pyarrow's, JSON's and UTF-8's.
    except (ValueError, KeyError, TypeError, AttributeError, OSError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read as a result of cxrview classify") from error


def each_failure(path: Path) -> Iterator[Row]:
    """Yield the rows of a failures file.

    Raises:
        UsageError: the file does not exist, or is not a failures file.
    """
    try:
        for row in read_csv_rows(path):
            yield {name: row[name] for name in FAILURE_COLUMNS}
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read as failures of cxrview classify") from error


def _read_parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as table:
        names = table.schema_arrow.names
        check_columns(path, names)
        known = [name for name in columns if name in names]
        for batch in table.iter_batches(READ_AT_A_TIME, columns=known):
            for row in batch.to_pylist():
                yield {name: _of_column(name, row.get(name)) for name in columns}


def _read_jsonl(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            check_columns(path, row)
            yield {name: _of_column(name, row.get(name)) for name in columns}


def _read_csv(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    check_columns(path, read_csv_columns(path))
    for row in read_csv_rows(path):
        yield {name: _typed(name, row.get(name)) for name in columns}


def check_columns(path: Path, names: Collection[str]) -> None:
    """Check that a table has the columns of a result.

    A failures file has a column of paths, too: if it were taken for a result, its files would not
    be tried again.

    Raises:
        UsageError: a column that every result has is missing.
    """
    if missing := [name for name in ("path", "decision") if name not in names]:
        raise UsageError(
            f"{path} is not a result of cxrview classify: it has no column {missing[0]}",
            "A result is the table that --out named, such as views.parquet, and not the "
            "views.failures.csv beside it",
        )


def _of_column(name: str, value: Any) -> Any:
    """A value as its column has it: other programs write 90 as 90.0 where others are missing."""
    if not isinstance(value, float):
        return value
    if math.isnan(value):  # a missing value of pandas
        return None
    return int(value) if name in _INTEGERS and value.is_integer() else value


def _typed(name: str, text: str | None) -> Any:
    """Convert a cell of a CSV: an empty one is None."""
    return _PARSERS[MERGED_COLUMNS[name]](text) if text else None


def _parse_bool(text: str) -> bool:
    word = text.lower()  # pandas writes True
    if word not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return word == "true"


def _parse_int(text: str) -> int:
    return int(text.removesuffix(".0"))  # pandas writes 90.0 where others are missing


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "bool": _parse_bool,
    "int8": _parse_int,
    "int16": _parse_int,
    "int32": _parse_int,
    "float64": float,
    "string": str,
}


_READERS = {"parquet": _read_parquet, "csv": _read_csv, "jsonl": _read_jsonl}


def _names_in_parquet(path: Path) -> Collection[str]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as table:
        names: list[str] = table.schema_arrow.names
    return names


def _names_in_csv(path: Path) -> Collection[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return csv.DictReader(file).fieldnames or ()


def _names_in_jsonl(path: Path) -> Collection[str]:
    with path.open(encoding="utf-8") as file:
        line = file.readline()
    return dict(json.loads(line)) if line else ()


_NAMES = {"parquet": _names_in_parquet, "csv": _names_in_csv, "jsonl": _names_in_jsonl}


def _write_csv(path: Path, rows: Iterable[Mapping[str, Any]], columns: Collection[str]) -> None:
    names = list(columns)
    write_csv(path, names, ([_cell(name, row.get(name)) for name in names] for row in rows))


def _cell(name: str, value: Any) -> Any:
    """Write true and false of a result as JSON and Arrow do; other tables have True and False."""
    return str(value).lower() if isinstance(value, bool) and COLUMNS.get(name) == "bool" else value


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """Write a small table of any columns as CSV, complete or not at all.

    Args:
        path: .csv; an existing table is replaced.
        rows: all with the same columns.
        columns: needed if there may be no rows.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    rows = list(rows)
    with raising_cannot_write(path), atomic_path(path) as part:
        _write_csv(part, rows, columns or list(rows[0]))


def _write_jsonl(path: Path, rows: Iterable[Row], _columns: Collection[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        write_json_lines(file, rows)


def write_parquet(file: Path | IO[bytes], rows: Iterable[Row], columns: Mapping[str, str]) -> None:
    """Write rows into a Parquet file, with at most `ROW_GROUP` of them in memory.

    Args:
        file: a path or an open file.
        rows: with those columns.
        columns: name to Arrow type.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        ahead = iter(rows)
        while group := list(islice(ahead, ROW_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


_WRITERS = {"parquet": write_parquet, "csv": _write_csv, "jsonl": _write_jsonl}


_OURS = re.compile(r"part-\d{5,}\.parquet((\.[0-9a-f]{12})?\.part)?")
"""Parts, and incomplete ones: those with digits were written on a cluster."""


def write_partitioned(
    folder: Path, rows: Iterable[Row], columns: Mapping[str, str] = COLUMNS
) -> None:
    """Write rows as a folder of Parquet parts.

    The folder appears under its name only when it is complete; parts in it are replaced.

    Args:
        folder: must not hold files other than parts.
        rows: with those columns.
        columns: name to Arrow type: COLUMNS or MERGED_COLUMNS.

    Raises:
        OSError: the disk is full, or the folder holds other files.
    """
    making = new_parts_folder(folder)
    ahead = iter(rows)
    number, group = 0, list(islice(ahead, ROW_GROUP))
    while group or not number:  # a result without rows is one part with its columns
        write_table(making / f"part-{number:05}.parquet", group, columns)
        number, group = number + 1, list(islice(ahead, ROW_GROUP))
    publish_parts(making, folder)


def new_parts_folder(folder: Path) -> Path:
    """Create the folder in which the parts of a result are made; see `publish_parts`.

    Args:
        folder: of the result.

    Raises:
        OSError: the disk is full, or the folder holds other files.
    """
    making = folder.with_name(folder.name + PART)
    _remove_parts(making)
    making.mkdir()
    return making


def publish_parts(making: Path, folder: Path) -> None:
    """Rename a folder of complete parts, in place of those of an earlier result.

    Args:
        making: from `new_parts_folder`.
        folder: of the result.

    Raises:
        OSError: the folder holds other files than parts.
    """
    for path in making.glob(f"*{PART}"):  # of a worker that was killed
        if _OURS.fullmatch(path.name):
            path.unlink(missing_ok=True)
    sync_folder(making)
    # A stop in between loses nothing: the journal is deleted only when the new folder exists.
    _remove_parts(folder)
    making.rename(folder)
    sync_folder(folder.parent)


def foreign_files(folder: Path) -> list[str]:
    """Return the names in a folder that are not parts of a result, sorted."""
    return sorted(name for name in os.listdir(folder) if not _OURS.fullmatch(name))  # noqa: PTH208 (names)


def _remove_parts(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            if _OURS.fullmatch(path.name):
                path.unlink()
        folder.rmdir()  # fails if it holds other files
