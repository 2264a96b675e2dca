"""Read a table of images: a result of `classify`, or any table with a column of files."""

import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from cxrview.errors import UsageError
from cxrview.results.columns import from_printable
from cxrview.sources.csv_rows import FILE_COLUMNS, read_csv
from cxrview.sources.windows_paths import RELATIVE, existing_name, is_windows_path

Row = dict[str, Any]
_NAMES = {
    "path": (),
    "file": tuple(name for name in FILE_COLUMNS if name != "path"),
    **{name: () for name in ("patient", "patient_key", "study", "study_instance_uid", "source")},
}
"""Columns that a CSV file may spell differently."""


def iter_listed_images(table: Path, columns: Collection[str] | None = None) -> Iterator[Row]:
    """Yield the rows of a table, each with the `path` of its image.

    Args:
        table: .parquet, .csv as `read_csv` reads it, or .jsonl, or a folder of Parquet parts. A
            column `path` holds files as in a result of `classify`, printable if there is a column
            `decision`; without it, a column `file` holds them as in a labels file, relative to the
            table.
            columns: other columns to read, so that no more of a Parquet file is read; None for all.
            Columns that a table does not have are ignored.

    Yields:
        Rows, with numbers as text if the table is a CSV; an empty cell is None.

    Raises:
        UsageError: the table does not exist, it cannot be read, or names no files.
    """
    files = sorted(table.glob("*.parquet")) if table.is_dir() else [table]
    if not files or not table.exists():
        raise UsageError(f"table {table} does not exist")
    for file in files:
        read = _READERS.get(file.suffix.lower())
        if read is None:
            raise UsageError(f"{file} does not end in .parquet, .csv or .jsonl")
        try:
            for row in read(file, columns):
                yield _with_path(row, file)
        except KeyError:
            raise UsageError(
                f"{file} names no images: no column path, and no column file"
            ) from None
        # ValueError is raised by pyarrow, JSON and UTF-8 decoding.
        except (ValueError, OSError) as error:
            raise UsageError(
                f"{file} is not a valid file of the format that its name says"
            ) from error


def _with_path(row: Row, table: Path) -> Row:
    path = row["path"] if "path" in row else row["file"]
    if path and "path" in row and "decision" in row:  # a result, which holds printable paths
        path = from_printable(path)
    if not path:
        raise ValueError("a row names no file")
    if "://" in path:
        return row | {"path": str(path)}
    folder = Path() if "path" in row else table.parent
    # Not by Path, which raises for a name that is too long.
    path = existing_name(str(path), lambda name: os.path.isfile(folder / name))  # noqa: PTH113
    if is_windows_path(path):
        raise UsageError(f"{table} names {path}, which is not on this computer", RELATIVE)
    return row | {"path": str(folder / path) if "path" not in row else path}


def _read_parquet(path: Path, columns: Collection[str] | None) -> Iterator[Row]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as table:
        names = table.schema_arrow.names
        if columns is not None:
            names = [name for name in names if name in {"path", "file", "decision", *columns}]
        for batch in table.iter_batches(10_000, columns=names):
            yield from batch.to_pylist()


def _read_csv(path: Path, _columns: Collection[str] | None) -> Iterator[Row]:
    found = read_csv(path, _NAMES)
    if not {"path", "file"} & set(found.named):
        raise UsageError(
            f"{path} names no images: no column path, and no column file", found.columns_in_words
        )
    for _, row in found.rows:
        if None in row:
            raise ValueError("more cells than columns")
        yield {name: cell or None for name, cell in row.items()}


def _read_jsonl(path: Path, _columns: Collection[str] | None) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield dict(json.loads(line))


_READERS = {".parquet": _read_parquet, ".csv": _read_csv, ".jsonl": _read_jsonl}
