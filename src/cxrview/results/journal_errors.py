"""SQLite's temporary files: where they lie, and what to say when their disk takes no more."""

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from cxrview.errors import CannotGoOn

ADVICE = "Make room there, or name a folder on another disk in SQLITE_TMPDIR"


def temporary_folder() -> Path:
    """The folder of SQLite's temporary files, by its own rule and not by Python's."""
    named = [os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR")]
    for folder in [*filter(None, named), "/var/tmp", "/usr/tmp", "/tmp"]:  # noqa: S108 (SQLite's)
        if Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    return Path()


def told_with_folder(error: sqlite3.OperationalError) -> str:
    """What SQLite says, and where its temporary files lie: it never says which disk is full."""
    folder = temporary_folder()
    room = ""
    with suppress(OSError):
        room = f" ({shutil.disk_usage(folder).free / 1e6:,.0f} MB free)"
    return f"{error}. Temporary files lie in {folder}{room}"


def temporary_files_failed(cannot: str, error: sqlite3.OperationalError) -> CannotGoOn:
    """What a user is told where nothing but temporary files was being written.

    Args:
        cannot: a sentence of what cannot be done, without its end.
        error: as SQLite raised it.
    """
    return CannotGoOn(f"{cannot}: {told_with_folder(error)}", ADVICE)
