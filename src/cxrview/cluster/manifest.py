"""Read the paths of a run from a manifest: a column of a Parquet or CSV file, or a list."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from cxrview.errors import UsageError
from cxrview.sources.csv_rows import FILE_COLUMNS, read_csv
from cxrview.sources.paths import file_system, local_path

AT_A_TIME = 10_000
"""Number of paths in memory at a time."""
COLUMN = FILE_COLUMNS[0]


def read_manifest(name: str) -> Iterator[str]:
    """Yield the paths that a manifest names, in its order; memory does not grow with their number.

    Args:
        name: a local file or an fsspec URL. `.parquet` and `.csv` (or `.csv.gz`) have a column of
            paths called file, path, filename, image, image path or image file; any other file is a
            list with one path a line. Relative paths are relative to the working folder.

    Raises:
        UsageError: it cannot be read, or has no such column of text.
    """
    ending = name.lower().removesuffix(".gz")
    if ending.endswith(".csv"):
        with _local_copy(name) as file:
            table = read_csv(file, {COLUMN: FILE_COLUMNS[1:]}, needed=[COLUMN])
            yield from (row[COLUMN] for _, row in table.rows if row[COLUMN])
        return
    with _raising_usage_error(name), _opened(name) as data:
        yield from _of_parquet(name, data) if ending.endswith(".parquet") else _of_list(data)


def _of_parquet(name: str, data: IO[bytes]) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(data) as table:
        names: dict[str, str] = {
            column.lower().replace("_", " "): column for column in table.schema_arrow.names
        }
        column = next((names[one] for one in FILE_COLUMNS if one in names), None)
        if column is None:
            raise UsageError(
                f"{name} has no column of paths", f"Name it {', '.join(FILE_COLUMNS[:3])}"
            )
        values = table.schema_arrow.field(column).type
        if isinstance(values, pa.DictionaryType):
            values = values.value_type
        if not (pa.types.is_string(values) or pa.types.is_large_string(values)):
            raise UsageError(
                f"column {column} of {name} is not text", "Name a column of paths path"
            )
        for batch in table.iter_batches(AT_A_TIME, columns=[column]):
            yield from (path for path in batch.column(0).to_pylist() if path)


def _of_list(data: IO[bytes]) -> Iterator[str]:
    for line in data:
        if path := os.fsdecode(line.rstrip(b"\r\n")):
            yield path


@contextmanager
def _opened(name: str) -> Iterator[Any]:
    if local := local_path(name):
        with Path(local).open("rb") as data:
            yield data
        return
    with file_system(name) as (files, path), files.open(path, "rb") as data:
        yield data


@contextmanager
def _local_copy(name: str) -> Iterator[Path]:
    """Yield a local file, which the reader of CSV files needs to look at twice."""
    if local := local_path(name):
        yield Path(local)
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / Path(name).name
        with _raising_usage_error(name), file_system(name) as (files, path):
            files.get_file(path, str(copy))
        yield copy


@contextmanager
def _raising_usage_error(name: str) -> Iterator[None]:
    """Raise UsageError for errors of the disk, the store or the format in the block.

    Messages of stores are left out, since they may hold credentials.
    """
    try:
        yield
    except (UsageError, MemoryError, GeneratorExit):
        raise
    except Exception as error:  # libraries of stores and of Parquet raise many types
        why = type(error).__name__
        with suppress(AttributeError):
            why = getattr(error, "strerror", None) or why
        raise UsageError(f"manifest {name} cannot be read ({why})", "Check the name") from error
