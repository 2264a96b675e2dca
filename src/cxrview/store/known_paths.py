"""The paths that earlier results hold, on the disk and not in memory, however many."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from cxrview.store.path_key import path_key
from cxrview.store.rows import printable
from cxrview.store.tables import each_row
from cxrview.store.temporary_files import temporary_files_failed


class KnownPaths:
    """The paths of all rows of some results, in SQLite's temporary files.

    A path is known by its name alone: a result holds neither size nor date of a file. Files
    that failed have no row and are not known, so that they are tried again.

    Args:
        tables: results in any format, files or folders of parts. Relative paths in them are
            taken from the folder where we stand, as those of this run are.

    Raises:
        UsageError: one of them is missing or no result.
        CannotGoOn: there is no room for temporary files.
    """

    def __init__(self, tables: Sequence[Path]) -> None:
        # Whoever counts the files asks from a thread of its own.
        self._db = sqlite3.connect("", check_same_thread=False)
        self._db.execute("CREATE TABLE known (path BLOB PRIMARY KEY) WITHOUT ROWID")
        keys = ((_key(row["path"]),) for table in tables for row in each_row(table, ["path"]))
        try:
            with self._db:
                self._db.executemany("INSERT OR IGNORE INTO known VALUES (?)", keys)
        except sqlite3.OperationalError as error:
            raise temporary_files_failed("what is known cannot be looked up", error) from error

    def __contains__(self, path: str) -> bool:
        found = self._db.execute("SELECT 1 FROM known WHERE path = ?", (_key(path),))
        return found.fetchone() is not None

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM known").fetchone()
        return int(count)

    def __str__(self) -> str:
        """How many, and a fingerprint of which: results that hold the same paths agree."""
        digest = hashlib.sha256()
        for key in self._keys():
            digest.update(key + b"\0")
        return f"{len(self)} paths {digest.hexdigest()[:16]}"

    def _keys(self) -> Iterator[bytes]:
        for (key,) in self._db.execute("SELECT path FROM known ORDER BY path"):
            yield key


def _key(path: str) -> bytes:
    """Of a path as a table shows it: bytes that are no UTF-8 are escaped there."""
    return path_key(printable(path))
