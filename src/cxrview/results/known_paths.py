"""The paths that earlier results hold, on the disk and not in memory, however many."""

import hashlib
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from cxrview.csv_files import read_csv_columns
from cxrview.results.columns import from_printable
from cxrview.results.journal_errors import temporary_files_failed
from cxrview.results.side_files import need_own_summary, run_folder
from cxrview.results.tables import check_columns, each_row, files_of, reading, table_format
from cxrview.sources.paths import path_key

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

    check_columns(file, read_csv_columns(file))
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


_SETTINGS = """
PRAGMA journal_mode = OFF; -- there is nothing to go back to: where it finds no room, the run ends
PRAGMA page_size = 16384;
PRAGMA cache_size = -32768; -- KiB; paths in no order would be slow with the usual two mebibytes
CREATE TABLE known (path BLOB PRIMARY KEY) WITHOUT ROWID;
"""
_DIGEST_AT_A_TIME = 10_000


class KnownPaths:
    """The paths of all rows of some results, in SQLite's temporary files.

    A path is known by its name alone: a result holds neither size nor date of a file. Files
    that failed have no row and are not known, so that they are tried again.

    Args:
        tables: results in any format, files or folders of parts. Relative paths in them are
            taken from the folder where their run stood by its summary, and from the folder
            where we stand if there is none.

    Raises:
        UsageError: one of them is missing or no result, or the summary beside it is of another.
        RunStopped: there is no room for temporary files.
    """

    def __init__(self, tables: Sequence[Path]) -> None:
        # Whoever counts the files asks from a thread of its own.
        self._db = sqlite3.connect("", check_same_thread=False)
        self._asking = threading.Lock()
        try:
            self._db.executescript(_SETTINGS)
            for table in tables:
                self._add(table)
            # Asked for each file of an archive as well: to count takes SQLite a walk over all.
            (self._count,) = self._db.execute("SELECT count(*) FROM known").fetchone()
        except sqlite3.OperationalError as error:
            raise temporary_files_failed("what is known cannot be looked up", error) from error

    def _add(self, table: Path) -> None:
        need_own_summary(table)
        folder = run_folder(table)
        for paths in each_paths(table):
            keys = sorted(path_key(from_printable(path), folder) for path in paths)
            with self._db:
                self._db.executemany("INSERT OR IGNORE INTO known VALUES (?)", zip(keys))  # noqa: B905

    def __contains__(self, path: str) -> bool:
        key = path_key(path)
        with self._asking:
            found = self._db.execute("SELECT 1 FROM known WHERE path = ?", (key,))
            return found.fetchone() is not None

    def __len__(self) -> int:
        return int(self._count)

    def __str__(self) -> str:
        """How many, and a fingerprint of which: results that hold the same paths agree."""
        digest = hashlib.sha256()
        in_order = self._db.execute("SELECT path FROM known ORDER BY path")
        while some := in_order.fetchmany(_DIGEST_AT_A_TIME):
            digest.update(b"".join(key + b"\0" for (key,) in some))
        return f"{len(self)} paths {digest.hexdigest()[:16]}"
