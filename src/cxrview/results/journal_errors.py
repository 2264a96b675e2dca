"""SQLite's temporary files: where they lie, and what to say when their disk takes no more."""

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from cxrview.errors import CannotWrite, CxrviewError, RunStopped, UsageError

ADVICE = "Make room there, or name a folder on another disk in SQLITE_TMPDIR"


def temporary_folder() -> Path:
    """The folder of SQLite's temporary files, by its own rule and not by Python's."""
    named = [os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR")]
    for folder in [*filter(None, named), "/var/tmp", "/usr/tmp", "/tmp"]:  # noqa: S108 (SQLite's)
        if Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    return Path()


def reason_with_folder(error: sqlite3.OperationalError) -> str:
    """What SQLite says, and where its temporary files lie: it never says which disk is full."""
    folder = temporary_folder()
    room = ""
    with suppress(OSError):
        room = f" ({shutil.disk_usage(folder).free / 1e6:,.0f} MB free)"
    return f"{error}. Temporary files lie in {folder}{room}"


def temporary_files_failed(cannot: str, error: sqlite3.OperationalError) -> RunStopped:
    """What a user is told where nothing but temporary files was being written.

    Args:
        cannot: a sentence of what cannot be done, without its end.
        error: as SQLite raised it.
    """
    return RunStopped(f"{cannot}: {reason_with_folder(error)}", ADVICE)


_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file is no database, or a broken one."""
    return _code(error) in _DAMAGED


def _code(error: sqlite3.Error) -> int:
    """SQLite's own, without what it adds in the higher bits; 0 where Python refused."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def journal_refused(path: Path | None, error: sqlite3.Error) -> CxrviewError:
    """What to do about a journal that cannot be opened: never lose it without need."""
    name = f"the journal {path or 'in temporary files'}"
    if _code(error) in _NO_ROOM:
        return CannotWrite(
            f"{name} cannot be written: {error}",
            "Make room there and run again, with --resume where a run was begun: "
            "what was finished is kept",
        )
    if _code(error) in _IN_USE:
        advice = "Is another run writing there? Wait for its end, or name another with --out"
    elif is_damaged(error):
        advice = "It is damaged, or none of cxrview's: begin anew with --overwrite"
    else:
        advice = "See to it that it may be read and written there"
    return UsageError(f"{name} cannot be used: {error}", advice)
