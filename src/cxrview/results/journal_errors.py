"""Turn SQLite's errors into ours: a journal that cannot be opened, full temporary files."""

import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path

from cxrview.errors import CannotWrite, CxrviewError, RunStopped, UsageError

ADVICE = "Free disk space there, or name a folder on another disk in SQLITE_TMPDIR"


def temporary_folder() -> Path:
    """Return the folder of SQLite's temporary files; its rule differs from that of Python."""
    named = [os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR")]
    for folder in [*filter(None, named), "/var/tmp", "/usr/tmp", "/tmp"]:  # noqa: S108 (SQLite's)
        if Path(folder).is_dir() and os.access(folder, os.W_OK | os.X_OK):
            return Path(folder)
    return Path()


def reason_with_folder(error: sqlite3.DatabaseError) -> str:
    """Return SQLite's message, which does not name the full disk, with the temporary folder."""
    folder = temporary_folder()
    room = ""
    with suppress(OSError):
        room = f" ({shutil.disk_usage(folder).free / 1e6:,.0f} MB free)"
    return f"{error}. Temporary files are in {folder}{room}"


def temporary_files_failed(cannot: str, error: sqlite3.OperationalError) -> RunStopped:
    """Return the error for full temporary files, if nothing else was being written.

    Args:
        cannot: what cannot be done, as a sentence without a full stop.
        error: raised by SQLite.
    """
    return RunStopped(f"{cannot}: {reason_with_folder(error)}", ADVICE)


_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_IN_USE = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def is_damaged(error: sqlite3.Error) -> bool:
    """Whether the file is not a database, or a damaged one."""
    return _code(error) in _DAMAGED


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary error code, without the extended bits; 0 for an error of Python."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def journal_refused(path: Path | None, error: sqlite3.Error) -> CxrviewError:
    """Return the error for a journal that cannot be opened; its advice is never to delete it."""
    name = f"the journal {path or 'in temporary files'}"
    if _code(error) in _NO_ROOM:
        return CannotWrite(
            f"{name} cannot be written: {error}",
            "Free disk space there and run again, with --resume if a run was started: "
            "what was finished is kept",
        )
    if _code(error) in _IN_USE:
        advice = "Another run may be writing it: wait for its end, or choose another --out"
    elif is_damaged(error):
        advice = "It is damaged, or not a journal of cxrview: start over with --overwrite"
    else:
        advice = "Check its permissions and those of its folder"
    return UsageError(f"{name} cannot be used: {error}", advice)
