"""The paths of earlier results (`--known`), in a database on disk, so that memory does not grow."""

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
"""Number of paths in memory at a time."""
CSV_BLOCK_BYTES = 4 << 20


def each_paths(table: Path) -> Iterator[list[str]]:
    """Yield the paths of a result in groups, in its order and as it shows them.

    Args:
        table: in any of the formats, or a folder of Parquet parts.

    Raises:
        UsageError: the table does not exist, or is not a result.
    """
    for file in files_of(table):
        with reading(file):
            for paths in _READERS[table_format(file)](file):
                if not all(paths):
                    raise ValueError("a row has no path")
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
            # An earlier version may have split the row: then its file is read again.
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
PRAGMA journal_mode = OFF; -- no rollback is needed: if the disk is full, the run ends
PRAGMA page_size = 16384;
PRAGMA cache_size = -32768; -- KiB; unsorted paths would be slow with SQLite's default of 2 MiB
CREATE TABLE known (path BLOB PRIMARY KEY) WITHOUT ROWID;
"""
_DIGEST_AT_A_TIME = 10_000


class KnownPaths:
    """The paths of all rows of several results, in SQLite's temporary files.

    A file is known by its path alone: a result holds neither size nor date of a file. Files
    that failed have no row and are not known, so that they are tried again.

    Args:
        tables: results in any format, files or folders of parts. Relative paths in them are
            relative to the working folder of their run, which their summary holds, or to the
            current one if there is no summary.

    Raises:
        UsageError: one of them is missing or not a result, or the summary beside it belongs to
        another one.
        RunStopped: the disk for temporary files is full.
    """

    def __init__(self, tables: Sequence[Path]) -> None:
        # Another thread counts the files for the progress bar, and looks paths up too.
        self._db = sqlite3.connect("", check_same_thread=False)
        self._asking = threading.Lock()
        try:
            self._db.executescript(_SETTINGS)
            for table in tables:
                self._add(table)
            # Counted once: SQLite goes through all rows to count them.
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
        """Number and fingerprint of the paths, equal for results that hold the same paths."""
        digest = hashlib.sha256()
        in_order = self._db.execute("SELECT path FROM known ORDER BY path")
        while some := in_order.fetchmany(_DIGEST_AT_A_TIME):
            digest.update(b"".join(key + b"\0" for (key,) in some))
        return f"{len(self)} paths {digest.hexdigest()[:16]}"
