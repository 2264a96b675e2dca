"""Reads what a run needs to know of the journal on the disk before it opens it."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from cxrview.results.journal import Conditions, count_finished, stored_conditions

T = TypeVar("T")


def count_recorded(path: Path) -> int:
    """Count the finished files of a journal on the disk; 0 if it is missing, unreadable or being
    written by a run."""
    return _read(path, count_finished) or 0


def read_conditions(path: Path) -> Conditions:
    """Read the conditions of a journal on the disk; none if it is missing, unreadable or being
    written by a run."""
    return _read(path, stored_conditions) or {}


def _read(path: Path, read: Callable[[sqlite3.Connection], T]) -> T | None:
    """Read from a journal on the disk; None if it is missing, unreadable or being written."""
    if not path.is_file():
        return None
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=0)) as journal:
            return read(journal)
    except sqlite3.DatabaseError:
        return None
