"""The argument STUDY and the option --root of the annotate commands, and opening a study."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.cli.shared.extras import needs_extra
from cxrview.wording import plural

if TYPE_CHECKING:
    from cxrview.annotate.database.store import ReadingStore
    from cxrview.annotate.progress import Progress
    from cxrview.records.annotation import Reader

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
        help="Folder or URL that holds the images now, if they have moved since the study was "
        "created. Applies to this command only; the study is not changed.",
        show_default="the study's own",
    ),
]
HOST, PORT = "127.0.0.1", 8765
"""The default address of `cxrview annotate serve`."""
IF_MOVED = "Mount or move them back, or use --root to name the folder that holds them now"
"""Advice if image files of a study are missing."""

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
    """Return the name of a study without the password that its URL may contain."""
    return re.sub(r"(?<=://)([^:/@]*):[^@/]*@", r"\1:***@", where)


@contextmanager
def opened(where: str, root: str | None = None) -> "Iterator[ReadingStore]":
    """Open a study, and close it when the block ends.

    Args:
        where: file or database of the study.
        root: folder or URL that holds its images now; None for that of the study.

    Raises:
        UsageError: the study does not exist, the extra `annotate` is not installed, or as
            `set_root`.
    """
    with needs_extra("annotate", "annotation"):
        from cxrview.annotate.database.store import open_readings
    store = open_readings(where)
    try:
        if root is not None:
            from cxrview.annotate.study import set_root

            set_root(store, root)
        yield store
    finally:
        store.close()


def active_readers(store: "ReadingStore") -> "list[Reader]":
    """Return those with the role of a reader who are not retired."""
    from cxrview.terms import Role

    return [one for one in store.readers() if Role.READER in one.roles and not one.is_retired]


def progress_of(store: "ReadingStore") -> "Progress":
    """Count what is read and what is left of an open study."""
    from cxrview.annotate.progress import progress
    from cxrview.annotate.revealed import first_revealed, has_seen

    readings = tuple(store.readings())
    seen = has_seen(first_revealed(store, readings))
    return progress(store.study, store.images(), readings, store.readers(), has_seen=seen)


def lacking_readers(store: "ReadingStore", found: "Progress") -> "Iterator[str]":
    """Return lines that say how to add readers; none if each image can get its readings."""
    active, needed = len(active_readers(store)), store.study.readings_per_image
    add = "cxrview annotate reader STUDY NAME --role reader, or images stay without a label"
    if active < needed:
        yield f"{active} of {needed} readers that an image needs are left: add others with {add}"
    if found.without_reader:
        one = "image lacks a reader who has not seen what others say of it"
        many = "images lack a reader who has not seen what others say of them"
        yield f"{plural(found.without_reader, one, many)}: add one with {add}"
