"""One server for a study: which tab holds which image is known to that one process alone.

Two servers of one database would have readers read the same images twice. The lock is the
database's own: PostgreSQL's advisory lock of a connection, or a lock on a file beside SQLite's.
It is gone with the process that held it, however that ended.
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

from cxrview.annotate.database.connect import Database, is_url, said_by
from cxrview.errors import UsageError

_ENDING = "-serving"
_ADVICE = "Stop that server first; readers of both would be shown the same images"


class ServingLock(Protocol):
    """Held while a study is served."""

    def is_held(self) -> bool:
        """Make sure that it still is, as far as the database answers.

        False where another server has taken it meanwhile.

        Raises:
            ConnectionError: the database does not answer.
        """

    def release(self) -> None:
        """Let another server have it."""


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
        return _InPostgresql(database.engine, study_id)
    return _BesideFile(Path(where + _ENDING))


class _BesideFile:
    """A transaction of SQLite that is never ended: such a lock there is on every system."""

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
        """Whatever happens to the file, the process holds it."""
        return True

    def release(self) -> None:
        """The file stays: to remove it could take a lock from who has just come."""
        self._lock.close()


class _InPostgresql:
    """A connection of its own, taken anew when the server of the database was away."""

    def __init__(self, engine: Engine, study_id: str) -> None:
        self._engine = engine
        self._key = int.from_bytes(blake2b(study_id.encode(), digest_size=8).digest(), signed=True)
        self._connection: Connection | None = None
        if not self._take():
            holder = self._holder()
            raise UsageError(f"the study is served by another process{holder}", _ADVICE)

    def is_held(self) -> bool:
        """Ask over the connection that holds it, and take it again where that is lost."""
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
            raise ConnectionError(said_by(error)) from error

    def release(self) -> None:
        """Let go of the lock, then close the connection.

        A closed connection frees it as well, but only once the server's process has noticed.
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
                connection.invalidate()  # not back into the pool, where the lock would live on
                connection.close()

    def _holder(self) -> str:
        """Where it runs, as the database knows it."""
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
