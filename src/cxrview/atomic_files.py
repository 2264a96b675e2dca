"""Files that appear whole or not at all, and folders that one process writes at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cxrview.errors import CannotWrite, UsageError

PART = ".part"
"""Ends the name of a file that is not whole yet."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a name to write under; the file gets its own when it is whole and on the disk.

    What goes wrong leaves nothing half-written, and what stood there before as it was.
    """
    part = path.with_name(path.name + PART)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:  # Ctrl-C as well; it goes on its way
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_path_in_new_folder(path: Path) -> Iterator[Path]:
    """The same in a folder that is ours to make; a file that a user named goes where one is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as part:
        yield part


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file, text as UTF-8, whole or not at all; its folder is made.

    Raises:
        CannotWrite: the disk took no more.
    """
    with raising_cannot_write(path), atomic_path_in_new_folder(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def raising_cannot_write(path: Path) -> Iterator[None]:
    """What goes wrong while a file is written becomes CannotWrite."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What goes wrong on the disk becomes CannotWrite, of a folder that can be gone on with."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(
            f"{folder} cannot be written: {error.strerror}",
            "Make room or name another folder; the same command goes on from where it stands",
        ) from error


@contextmanager
def locked(folder: Path, doing: str = "writing") -> Iterator[None]:
    """Hold a folder until done or dead; two writers would mix what they write.

    Raises:
        UsageError: another process holds it, `doing` something.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(ImportError):  # where there is no flock, nobody is kept out
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"another process is {doing} {folder}", "Wait for it") from None
        yield
    finally:
        os.close(handle)
