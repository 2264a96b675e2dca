"""Turns errors of the disk and the database into CannotWrite, which says what to do."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxrview.errors import CannotWrite

DISK_ERRORS = (OSError, sqlite3.OperationalError, sqlite3.ProgrammingError)
"""The last one is raised by a database that is closed."""


@contextmanager
def raising_cannot_write(folder: Path) -> Iterator[None]:
    """Raise CannotWrite for an error of the disk or of the database in the block.

    Args:
        folder: of the queue.
    """
    try:
        yield
    except DISK_ERRORS as error:
        raise explained(folder, error) from error


def explained(folder: Path, error: Exception) -> Exception:
    """The error to raise for another: CannotWrite for one of `DISK_ERRORS`, otherwise itself."""
    if not isinstance(error, DISK_ERRORS):
        return error
    if isinstance(error, OSError):
        return CannotWrite(
            f"the queue {folder} cannot be written: {error.strerror}", "Free space there"
        )
    return CannotWrite(
        f"the ledger of the queue {folder} cannot be written: {error}", "Free space there"
    )
