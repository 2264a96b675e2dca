"""Connect to the database of an annotation study, migrate it, and write in transactions.

Every writer first takes the lock of the study (SQLite's own, or the row of PostgreSQL's table
`study`), so that readings are numbered in the order in which they were committed.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cxrview.annotate.database.schema import STUDY
from cxrview.errors import CannotWrite, UsageError
from cxrview.install_command import install_command

_MIGRATIONS = "cxrview.annotate.database:migrations"
_LOCK_TIMEOUT_SECONDS = 30
"""Time that a writer waits for another one."""
_CONNECT_SECONDS = 10
"""Time that a PostgreSQL server may take to answer, unless its URL sets another one."""


def is_url(where: str) -> bool:
    """Whether `where` is the URL of a PostgreSQL database and not a file."""
    return "://" in where


class Database:
    """One open database; its methods may be called from any thread."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.name, self._engine = _engine(where)
        # One writer of this process at a time: waiting here is faster than SQLite's polling.
        self._write_lock = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The engine, which gives connections."""
        return self._engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that reads committed data, for the block."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction for the block: at its end all changes are on the disk, or none.

        Raises:
            CannotWrite: the disk is full, the server does not answer, or another writer took too
            long.
        """
        with self._lock() as connection:
            connection.execute(select(STUDY.c.study_id).with_for_update())
            yield connection

    def migrate(self, *, from_nothing: bool = False) -> None:
        """Migrate the tables to this version of cxrview.

        Args:
            from_nothing: create them in an empty database.

        Raises:
            UsageError: a study exists with `from_nothing`, or none without it; or a newer version
                of cxrview wrote it.
        """
        with self._lock() as connection:
            if connection.dialect.name == "postgresql":  # in which no row to lock exists yet
                connection.execute(text("SELECT pg_advisory_xact_lock(20170401)"))
            self._migrate(connection, from_nothing)

    @contextmanager
    def _lock(self) -> Iterator[Connection]:
        try:
            with self._write_lock, self._engine.connect() as connection:
                connection = connection.execution_options(writes=True)
                with connection.begin():
                    yield connection
        except OperationalError as error:
            raise CannotWrite(
                f"{self.name} cannot be written: {database_message(error)}"
            ) from error

    def _migrate(self, connection: Connection, from_nothing: bool) -> None:
        config = Config()
        config.set_main_option("script_location", _MIGRATIONS)
        config.attributes["connection"] = connection
        has = MigrationContext.configure(connection).get_current_revision()
        scripts = ScriptDirectory.from_config(config)
        if (has is None) is not from_nothing:
            what = (
                "holds no annotation study" if has is None else "already holds an annotation study"
            )
            raise UsageError(f"{self.name} {what}")
        if has is not None and has not in {script.revision for script in scripts.walk_revisions()}:
            raise UsageError(
                f"{self.name} was written by a newer version of cxrview", "Install that version"
            )
        if has != scripts.get_current_head():
            command.upgrade(config, "head")

    def guarded_tables(self) -> set[str]:
        """Return the tables whose rows triggers protect against change and deletion."""
        with self.reading() as db:
            if db.dialect.name == "sqlite":
                found = db.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            else:
                # Only triggers of this study's tables, and only enabled ones.
                found = db.scalars(
                    text(
                        "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND "
                        "pg_table_is_visible(tgrelid)"
                    )
                )
            end = "_is_not_changed"
            return {name.removesuffix(end) for name in found if name.endswith(end)}

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def database_message(error: DBAPIError) -> str:
    """Return the database's message in one line, without statement, values or password.

    For a failed connection, only the reason, without host and addresses.
    """
    lines = str(error.orig).strip().splitlines()
    if not lines:
        return type(error.orig).__name__
    return lines[0].rpartition(" failed: ")[2].strip() if "connection" in lines[0] else lines[0]


def is_unavailable(error: BaseException) -> bool:
    """Whether the error means that the database does not answer or cannot write for now.

    The same request may succeed later.
    """
    if isinstance(error, CannotWrite | OperationalError | InterfaceError | PoolTimeout):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def reason_unavailable(error: BaseException) -> str:
    """Return why the database is unavailable, in one line."""
    if isinstance(error, DBAPIError):
        return database_message(error)
    return error.reason if isinstance(error, CannotWrite) else "it does not answer"


def _engine(where: str) -> tuple[str, Engine]:
    if not is_url(where):
        return where, _sqlite(where)
    try:
        url = make_url(where)
        if url.get_backend_name() != "postgresql":
            raise ArgumentError("not PostgreSQL")
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        if "connect_timeout" not in url.query:
            url = url.update_query_dict({"connect_timeout": str(_CONNECT_SECONDS)})
        engine = create_engine(
            url,
            pool_size=10,
            max_overflow=20,
            pool_pre_ping=True,
            isolation_level="READ COMMITTED",  # so that a writer sees what the one before it wrote
        )
    except (ArgumentError, ValueError) as error:
        raise UsageError(
            "a study is a file or a PostgreSQL database; this URL is neither",
            "Write postgresql+psycopg://user@host/database",
        ) from error
    except ImportError as error:
        raise UsageError(
            f"a study in PostgreSQL needs {error.name}, which is not installed",
            f"Install it with: {install_command('annotate', 'postgresql')}",
        ) from error
    event.listen(engine, "connect", _prepare_postgresql)
    return make_url(where).render_as_string(hide_password=True), engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    """Make commits wait for the disk, even if the server's setting is otherwise."""
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()


def _sqlite(where: str) -> Engine:
    # By URI, so that a missing file is not created.
    url = URL.create("sqlite", database=Path(where).absolute().as_uri(), query={"uri": "true"})
    url = url.update_query_dict({"mode": "rw"})
    engine = create_engine(
        url,
        pool_size=10,
        max_overflow=20,
        connect_args={"timeout": _LOCK_TIMEOUT_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # so that sqlite3 begins and commits nothing implicitly
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Begin; a writer locks first, since it could not wait for the lock after a read."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def opening_errors(name: str) -> Iterator[None]:
    """Raise UsageError for errors in opening a database, in one line and without its URL's secrets.

    Raises:
        UsageError: the database cannot be opened.
    """
    try:
        yield
    except (DBAPIError, CannotWrite) as error:
        cause = error if isinstance(error, DBAPIError) else error.__cause__
        said = (
            database_message(cause) if isinstance(cause, DBAPIError) else reason_unavailable(error)
        )
        raise UsageError(f"{name} cannot be opened: {said}", _advice(said, name)) from error


def _advice(said: str, name: str) -> str:
    """Return advice by PostgreSQL's or SQLite's English message; otherwise what may be wrong."""
    if not is_url(name):
        return "Is it an annotation study, and may you write it?"
    for words, advice in (
        ("password", "Check user and password in the URL"),
        ("role", "Check the user in the URL"),
        ("does not exist", "Create the database with createdb, then the study"),
        ("refused", "Is the database server running, and is that its port?"),
        ("No such file", "Is the database server running, and is that its host?"),
        ("resolve", "Check the host in the URL"),
        ("timeout", "Can this computer reach the database server?"),
    ):
        if words in said:
            return advice
    return "Is the database server running, and may you write to the database?"
