"""The tables of the ledger, and how it is opened."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxrview.errors import UsageError

VERSION = 1
_BUSY_SECONDS = 30.0

_TABLES = """
CREATE TABLE images(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL UNIQUE,
    sop_instance_uid TEXT NOT NULL,
    modality TEXT NOT NULL,
    entrance TEXT NOT NULL,
    sender TEXT NOT NULL,
    received_at REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'classified', 'review', 'refused', 'failed')),
    settled_at REAL,
    row TEXT,
    code TEXT,
    rule TEXT
);
CREATE INDEX images_by_uid ON images(sop_instance_uid);
CREATE INDEX images_waiting ON images(id) WHERE state = 'waiting';
CREATE INDEX images_received ON images(received_at);
CREATE INDEX images_settled ON images(settled_at);
CREATE INDEX images_by_state ON images(state, code);
CREATE TABLE deliveries(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    image INTEGER NOT NULL REFERENCES images(id),
    destination TEXT NOT NULL,
    form TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'stored', 'dead')),
    tries INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    stored_at REAL,
    UNIQUE (image, destination, form)
);
CREATE INDEX deliveries_by_state ON deliveries(destination, state, tries, id);
CREATE INDEX deliveries_of_image ON deliveries(image);
CREATE INDEX deliveries_stored ON deliveries(stored_at);
CREATE TABLE totals(name TEXT PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE destinations(
    name TEXT PRIMARY KEY,
    failing_since REAL,
    reason TEXT NOT NULL DEFAULT ''
);
"""


def open_ledger(path: Path) -> sqlite3.Connection:
    """Open the database of a queue, which is created if it does not exist.

    Every commit is on the disk when it returns (`synchronous=FULL`). Other processes can read and
    write at the same time (WAL), such as `cxrview serve counts`.

    Raises:
        UsageError: the file is of a newer version of cxrview, or not a ledger.
        sqlite3.Error: the disk is full or fails.
    """
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        with transaction(connection):
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found == 0:
                for statement in filter(str.strip, _TABLES.split(";\n")):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
    except sqlite3.DatabaseError as error:
        connection.close()
        if isinstance(error, sqlite3.OperationalError):  # a full disk
            raise
        raise UsageError(f"{path} is not a ledger of cxrview", "Name another folder") from error
    if found > VERSION:
        connection.close()
        raise UsageError(f"{path} was written by a newer cxrview", "Use that version")
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Carry out the statements of the block together, or none of them."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it itself on a full disk
            connection.execute("ROLLBACK")
        raise
