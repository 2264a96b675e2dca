"""Check a journal before a run resumes from it, rather than fail at its end after hours."""

import json
import sqlite3

_COLUMNS = "SELECT failure_code, path, ordinal, sop_instance_uid, content_id, row FROM outcome"
_NEEDED = {True: "code", False: "warnings"}
"""A column of the rows of failures, and one of the rows of images."""


def check_content(journal: sqlite3.Connection) -> None:
    """Check the pages of a journal, and that its rows can be read; build damaged indexes again.

    It takes about 10 s for a million rows.

    Raises:
        sqlite3.DatabaseError: with the code SQLITE_CORRUPT if the journal is damaged, or with its
            own code if it cannot be read.
    """
    try:
        if not _is_sound(journal, "integrity_check"):
            if not _is_sound(journal, "quick_check"):
                raise ValueError("its pages are damaged")
            journal.execute("REINDEX")  # only an index differs from the rows, which are all there
            journal.commit()
        for code, *_, row in journal.execute(_COLUMNS):
            if _NEEDED[code is not None] not in json.loads(row):
                raise ValueError("its rows are damaged")
    except (sqlite3.DatabaseError, ValueError, TypeError, RecursionError) as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:
            raise
        raise damaged_error() from error


def _is_sound(journal: sqlite3.Connection, check: str) -> bool:
    (answer,) = journal.execute(f"PRAGMA {check}(1)").fetchone()
    return bool(answer == "ok")


def damaged_error() -> sqlite3.DatabaseError:
    """Return the error of SQLite for a damaged file."""
    error = sqlite3.DatabaseError("its content is damaged")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error
