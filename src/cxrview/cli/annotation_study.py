"""What every command of the annotation room begins with: its STUDY, opened or refused."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.extra import annotation_extra

if TYPE_CHECKING:
    from cxrview.store.readings import ReadingStore

StudyName = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="File of the study, or postgresql+psycopg://user@host/database.",
        show_default=False,
    ),
]


_SQLITE = b"SQLite format 3\0"


def is_study(where: str) -> bool:
    """Whether a name is that of an annotation study: a PostgreSQL URL, or a file of SQLite."""
    if where.startswith("postgresql"):
        return True
    path = Path(where)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def without_password(where: str) -> str:
    """The study's name as it may be shown."""
    return re.sub(r"(?<=://)([^:/@]*):[^@/]*@", r"\1:***@", where)


@contextmanager
def opened(where: str) -> "Iterator[ReadingStore]":
    """An open study, closed again when the block ends.

    Raises:
        UsageError: there is none, or the extra named annotate is not installed.
    """
    with annotation_extra():
        from cxrview.store.readings import open_readings
    store = open_readings(where)
    try:
        yield store
    finally:
        store.close()
