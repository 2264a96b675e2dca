"""The database of an annotation study: found, opened, brought to the newest tables, written safely.

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
_PATIENCE_SECONDS = 30
"""How long a writer waits for another one."""
_CONNECT_SECONDS = 10
"""How long a server of PostgreSQL may take to answer, unless its URL says otherwise."""


def is_url(where: str) -> bool:
    """Whether it names a PostgreSQL database and not a file."""
    return "://" in where


class Database:
    """One open database; its methods may be called from any thread."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.name, self._engine = _engine(where)
        # One writer of this process at a time: waiting here is quicker than SQLite's polling.
        self._turn = threading.Lock()

    @property
    def engine(self) -> Engine:
        """What connections come from."""
        return self._engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Look at what is committed."""
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Change something: all of it is on the disk when the block ends, or none.

        Raises:
            CannotWrite: the disk is full, the server is gone, or another writer took too long.
        """
        with self._lock() as connection:
            connection.execute(select(STUDY.c.study_id).with_for_update())
            yield connection

    def migrate(self, *, from_nothing: bool = False) -> None:
        """Bring the tables to those of this cxrview.

        Args:
            from_nothing: make them in a database that has none.

        Raises:
            UsageError: there is a study where none should be, or none where one should be, or it
                was written by a newer cxrview.
        """
        with self._lock() as connection:
            if connection.dialect.name == "postgresql":  # where there is no row to lock yet
                connection.execute(text("SELECT pg_advisory_xact_lock(20170401)"))
            self._migrate(connection, from_nothing)

    @contextmanager
    def _lock(self) -> Iterator[Connection]:
        try:
            with self._turn, self._engine.connect() as connection:
                connection = connection.execution_options(writes=True)
                with connection.begin():
                    yield connection
        except OperationalError as error:
            raise CannotWrite(f"{self.name} cannot be written: {said_by(error)}") from error

    def _migrate(self, connection: Connection, from_nothing: bool) -> None:
        config = Config()
        config.set_main_option("script_location", _MIGRATIONS)
        config.attributes["connection"] = connection
        has = MigrationContext.configure(connection).get_current_revision()
        scripts = ScriptDirectory.from_config(config)
        if (has is None) is not from_nothing:
            what = "holds no annotation study" if has is None else "holds one already"
            raise UsageError(f"{self.name} {what}")
        if has is not None and has not in {script.revision for script in scripts.walk_revisions()}:
            raise UsageError(
                f"{self.name} was written by a newer cxrview", "Install that one, or a later one"
            )
        if has != scripts.get_current_head():
            command.upgrade(config, "head")

    def guarded_tables(self) -> set[str]:
        """Tables whose rows the database itself refuses to change or delete."""
        with self.reading() as db:
            if db.dialect.name == "sqlite":
                found = db.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            else:
                # Only those of this study's tables, and only while they are switched on.
                found = db.scalars(
                    text(
                        "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND "
                        "pg_table_is_visible(tgrelid)"
                    )
                )
            end = "_is_not_changed"
            return {name.removesuffix(end) for name in found if name.endswith(end)}

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def said_by(error: DBAPIError) -> str:
    """What the database said, in one line; neither statement nor values, nor a password.

    Of a connection that failed only the reason, without where to and for each address.
    """
    lines = str(error.orig).strip().splitlines()
    if not lines:
        return type(error.orig).__name__
    return lines[0].rpartition(" failed: ")[2].strip() if "connection" in lines[0] else lines[0]


def is_out_of_reach(error: BaseException) -> bool:
    """Whether it says that the database does not answer, or cannot write, and not what is wrong.

    What was asked may be asked again later.
    """
    if isinstance(error, CannotWrite | OperationalError | InterfaceError | PoolTimeout):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def reason_of(error: BaseException) -> str:
    """Why it is out of reach, in one line."""
    if isinstance(error, DBAPIError):
        return said_by(error)
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
            isolation_level="READ COMMITTED",  # or a writer that waited would not see the other's
        )
    except (ArgumentError, ValueError) as error:
        raise UsageError(
            "a study lies in a file or in PostgreSQL; this URL names neither",
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
    """A commit waits for the disk, also where the server is set not to."""
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false)"
        " WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()


def _sqlite(where: str) -> Engine:
    # By URI, so that a file that is not there is not made.
    url = URL.create("sqlite", database=Path(where).absolute().as_uri(), query={"uri": "true"})
    url = url.update_query_dict({"mode": "rw"})
    engine = create_engine(
        url,
        pool_size=10,
        max_overflow=20,
        connect_args={"timeout": _PATIENCE_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # or sqlite3 would begin, and commit, when it likes
    for pragma in ("synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: one that first reads cannot wait for it later."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def opening_errors(name: str) -> Iterator[None]:
    """Turn what the database says while it is opened into one line, without its URL's secrets.

    Raises:
        UsageError: it cannot be opened.
    """
    try:
        yield
    except (DBAPIError, CannotWrite) as error:
        cause = error if isinstance(error, DBAPIError) else error.__cause__
        said = said_by(cause) if isinstance(cause, DBAPIError) else reason_of(error)
        raise UsageError(f"{name} cannot be opened: {said}", _advice(said, name)) from error


def _advice(said: str, name: str) -> str:
    """What to do, by what PostgreSQL or SQLite says in English; else what may be wrong."""
    if not is_url(name):
        return "Is it an annotation study, and may you write it?"
    for words, advice in (
        ("password", "Check user and password in the URL"),
        ("role", "Check the user in the URL"),
        ("does not exist", "Make the database with createdb, and then the study"),
        ("refused", "Is the server of the database running, and is that its port?"),
        ("No such file", "Is the server of the database running, and is that its host?"),
        ("resolve", "Check the host in the URL"),
        ("timeout", "Can this computer reach the server of the database?"),
    ):
        if words in said:
            return advice
    return "Is the server of the database running, and may you write the database?"
