"""Passes on each file once, however often it is named, in memory that does not grow."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing

from cxrview.sources.path_key import path_key


def each_once(paths: Iterable[str]) -> Iterator[str]:
    """Give each path when it comes for the first time, whichever way it is written.

    What came before stands in SQLite's temporary files.
    """
    with closing(sqlite3.connect("")) as seen:
        seen.execute("PRAGMA journal_mode = OFF")
        seen.execute("CREATE TABLE seen (path BLOB PRIMARY KEY) WITHOUT ROWID")
        for path in paths:
            if seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (path_key(path),)).rowcount:
                yield path
