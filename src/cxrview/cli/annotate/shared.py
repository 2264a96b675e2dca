"""What every command of the annotation room begins with: its STUDY, opened or refused."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import annotation_extra

if TYPE_CHECKING:
    from cxrview.annotate.database.store import ReadingStore

StudyName = Annotated[
    str,
    typer.Argument(
        metavar="STUDY",
        help="File of the study, or postgresql+psycopg://user@host/database.",
        show_default=False,
    ),
]

ImagesRoot = Annotated[
    str | None,
    typer.Option(
        "--root",
        metavar="FOLDER|URL",
        help="Where the images lie now, if they have moved since the study was made: what then "
        "was its root. Holds for this command; the study stays as it is.",
        show_default="the study's own",
    ),
]
HOST, PORT = "127.0.0.1", 8765
"""Where `cxrview annotate serve` listens unless told otherwise."""
IF_MOVED = "Mount or move them back, or name with --root where they lie now"
"""Advice where a study's images are gone."""

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
def opened(where: str, root: str | None = None) -> "Iterator[ReadingStore]":
    """An open study, closed again when the block ends.

    Args:
        where: file or database of the study.
        root: where its images lie, if not where they lay when it was made.

    Raises:
        UsageError: there is none, the extra named annotate is not installed, or as `set_root`.
    """
    with annotation_extra():
        from cxrview.annotate.database.store import open_readings
    store = open_readings(where)
    try:
        if root is not None:
            from cxrview.annotate.study import set_root

            set_root(store, root)
        yield store
    finally:
        store.close()
