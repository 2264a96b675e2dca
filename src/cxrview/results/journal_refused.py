"""What SQLite means when it cannot open a journal, and what to do about it."""

import sqlite3
from pathlib import Path

from cxrview.errors import CannotWrite, CxrviewError, UsageError

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
