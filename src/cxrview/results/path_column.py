"""The paths that a result holds, and none of its other columns: of millions of rows in seconds."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from cxrview.results.tables import check_columns, each_row, files_of, reading, table_format

AT_A_TIME = 65_536
"""Paths in memory."""
CSV_BLOCK_BYTES = 4 << 20


def each_paths(table: Path) -> Iterator[list[str]]:
    """Give the paths of a result, many at a time, in its order and as it shows them.

    Args:
        table: in any of the formats, or a folder of Parquet parts.

    Raises:
        UsageError: there is no such table, or it is no result.
    """
    for file in files_of(table):
        with reading(file):
            for paths in _READERS[table_format(file)](file):
                if not all(paths):
                    raise ValueError("every row is of a file")
                yield paths


def _of_parquet(file: Path) -> Iterator[list[str]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as table:
        check_columns(file, table.schema_arrow.names)
        for batch in table.iter_batches(AT_A_TIME, columns=["path"]):
            yield batch.column(0).to_pylist()


def _of_csv(file: Path) -> Iterator[list[str]]:
    from pyarrow import csv as arrow

    with file.open(newline="", encoding="utf-8") as text:
        check_columns(file, next(csv.reader(text), []))
    with arrow.open_csv(
        file,
        read_options=arrow.ReadOptions(block_size=CSV_BLOCK_BYTES),
        parse_options=arrow.ParseOptions(
            newlines_in_values=True,
            # A row that an earlier version broke in two: its file is read again.
            invalid_row_handler=lambda _row: "skip",
        ),
        convert_options=arrow.ConvertOptions(
            include_columns=["path"], column_types={"path": "string"}
        ),
    ) as batches:
        for batch in batches:
            yield batch.column(0).to_pylist()


def _of_jsonl(file: Path) -> Iterator[list[str]]:
    rows = each_row(file, ["path"])
    while paths := [row["path"] for row in islice(rows, AT_A_TIME)]:
        yield paths


_READERS = {"parquet": _of_parquet, "csv": _of_csv, "jsonl": _of_jsonl}
