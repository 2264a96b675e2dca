"""The paths that earlier results hold, on the disk and not in memory, however many."""

import hashlib
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

from cxrview.results.columns import from_printable
from cxrview.results.journal_errors import temporary_files_failed
from cxrview.results.path_column import each_paths
from cxrview.results.run_folder import run_folder
from cxrview.results.side_files import need_own_summary
from cxrview.sources.path_key import path_key

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
        CannotGoOn: there is no room for temporary files.
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
