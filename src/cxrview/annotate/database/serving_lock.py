"""The lock that allows only one server for a study.

Leases of images to browser tabs are in the memory of the server, so that with two servers readers
would read the same images twice. The lock is an advisory lock of PostgreSQL, or a lock on a file
beside that of SQLite. It is released when its process ends in any way.
"""

import os
import socket
import sqlite3
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from cxrview.annotate.database.connect import Database, database_message, is_url
from cxrview.errors import UsageError

_ENDING = "-serving"
_ADVICE = "Stop that server first; readers of both would be shown the same images"


class ServingLock(Protocol):
    """A lock that is held while a study is served."""

    def is_held(self) -> bool:
        """Check that this process still holds the lock; take it again if that is possible.

        False if another server has taken it.

        Raises:
            ConnectionError: the database does not answer.
        """

    def release(self) -> None:
        """Release the lock, so that another server can take it."""


def take_serving_lock(where: str, study_id: str, database: Database) -> ServingLock:
    """Take the lock of a study.

    Args:
        where: file or URL of the study.
        study_id: of the study.
        database: of the study, open.

    Raises:
        UsageError: another process serves the study.
    """
    if is_url(where):
        return _PostgresqlLock(database.engine, study_id)
    return _FileLock(Path(where + _ENDING))


class _FileLock:
    """A SQLite transaction that is never ended, as a lock that exists on every system."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        self._lock = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            self._lock.close()
            raise UsageError("the study is served by another process", _ADVICE) from error

    def is_held(self) -> bool:
        """Return True: the process holds the lock whatever happens to the file."""
        return True

    def release(self) -> None:
        """Release the lock; the file stays, since another server may just have locked it."""
        self._lock.close()


class _PostgresqlLock:
    """An advisory lock on a separate connection, taken again after a restart of PostgreSQL."""

    def __init__(self, engine: Engine, study_id: str) -> None:
        self._engine = engine
        self._key = int.from_bytes(blake2b(study_id.encode(), digest_size=8).digest(), signed=True)
        self._connection: Connection | None = None
        if not self._take():
            holder = self._holder()
            raise UsageError(f"the study is served by another process{holder}", _ADVICE)

    def is_held(self) -> bool:
        """Query the connection that holds the lock; if it is lost, take the lock again."""
        try:
            if self._connection is not None:
                self._connection.execute(text("SELECT 1"))
                return True
        except DBAPIError:
            self._drop()
        try:
            return self._take()
        except DBAPIError as error:
            self._drop()
            raise ConnectionError(database_message(error)) from error

    def release(self) -> None:
        """Release the lock, then close the connection.

        A closed connection releases it as well, but only once the server's process has noticed.
        """
        if self._connection is not None:
            unlock = text("SELECT pg_advisory_unlock(:key)")
            with suppress(DBAPIError):
                self._connection.execute(unlock, {"key": self._key})
        self._drop()

    def _take(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        name = f"cxrview serve on {socket.gethostname()}"[:63]
        connection.execute(text("SELECT set_config('application_name', :n, false)"), {"n": name})
        taken = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key})
        self._connection = connection
        if not taken:
            self._drop()
        return bool(taken)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.invalidate()  # not returned to the pool, where it would keep the lock
                connection.close()

    def _holder(self) -> str:
        """Return the host of the server that holds the lock, as the database knows it."""
        asked = text(
            "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid) WHERE "
            "locktype = 'advisory' AND objsubid = 1 AND granted AND "
            "((classid::bigint << 32) | objid::bigint) = :key"
        )
        with suppress(DBAPIError), self._engine.connect() as connection:
            name = connection.scalar(asked, {"key": self._key})
            if name and name.startswith("cxrview serve on "):
                return str(name).removeprefix("cxrview serve")
        return ""
