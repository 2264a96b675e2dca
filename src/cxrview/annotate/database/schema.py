"""Definitions of the tables of an annotation study, the same in SQLite and in PostgreSQL.

A study is one database. Every change here needs a new migration in `migrations/versions`; a test
compares the two.
"""

import os
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)


class Utc(TypeDecorator[datetime]):
    """A datetime with a time zone, stored and returned in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert for the database; a datetime without a time zone is refused."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC: SQLite stores no zone, PostgreSQL returns that of the session."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class FileName(TypeDecorator[str]):
    """A path, stored as bytes, since a file name need not be valid text."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Convert to bytes, as the operating system does."""
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        """Convert from bytes, as Python does."""
        return None if value is None else os.fsdecode(value)


METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

STUDY = Table(
    "study",
    METADATA,
    Column("study_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created", Utc, nullable=False),
    Column("choices", JSON, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("readings_per_image", Integer, nullable=False),
    Column("repeat_share", Float, nullable=False),
    Column("root", FileName, nullable=False),
    Column("about", JSON, nullable=False),
)

IMAGE = Table(
    "image",
    METADATA,
    Column("image_id", Text, primary_key=True),
    Column("ordinal", BigInteger, nullable=False, unique=True),  # the order of insertion
    Column("path", FileName, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("patient", Text, nullable=False),
    Column("study", Text, nullable=False),
    Column("content_id", Text, nullable=False),
    Column("stratum", Text, nullable=False),
    Column("weight", Float, nullable=False),
    Column("model_view", Text, nullable=False),
    Column("model_decision", Text, nullable=False),
    Column("pfi", Float),
    Column("header_view", Text),
)

READER = Table(
    "reader",
    METADATA,
    Column("reader_id", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("roles", JSON, nullable=False),
    Column("added", Utc, nullable=False),
    Column("link_sha256", Text, nullable=False, unique=True),
    Column("password_hash", Text),  # argon2; null if the reader signs in by link only
    Column("retired", Utc),  # when the reader stopped reading; null for an active reader
    Column("withdrawn", Utc),  # when the reader's readings stopped counting; null if they count
)

READING = Table(
    "reading",
    METADATA,
    # Assigned by the writer under the study's lock: a sequence would not follow the commits.
    Column("reading_id", BigInteger, primary_key=True, autoincrement=False),
    Column("uid", Text, nullable=False, unique=True),
    Column("reader_id", ForeignKey(READER.c.reader_id), nullable=False),
    Column("image_id", ForeignKey(IMAGE.c.image_id), nullable=False),
    Column("round", Text, nullable=False),
    Column("occasion", Integer, nullable=False),
    Column("act", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("undoes", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("shown", Utc),
    Column("made", Utc, nullable=False),
    Column("received", Utc, nullable=False),
    Column("milliseconds", BigInteger),
    Column("display", JSON, nullable=False),
    Column("skew_seconds", Float),
    Index(None, "image_id"),
)

EVENT = Table(
    "event",
    METADATA,
    Column("what", Text, primary_key=True),
    Column("happened", Utc, nullable=False),
)

STUDY_LOG = Table(
    "study_log",
    METADATA,
    # Assigned by the writer under the study's lock, as for readings.
    Column("entry_id", BigInteger, primary_key=True, autoincrement=False),
    Column("happened", Utc, nullable=False),
    Column("what", Text, nullable=False),
    Column("reader_id", ForeignKey(READER.c.reader_id)),
    Column("facts", JSON, nullable=False),
)

LOGIN = Table(
    "login",
    METADATA,
    Column("token_sha256", Text, primary_key=True),
    Column("reader_id", ForeignKey(READER.c.reader_id), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("expires", Utc, nullable=False),
    Index(None, "reader_id"),
)
