"""Atomic file writes, and folder locks."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cxrview.errors import CannotWrite, UsageError

PART = ".part"
"""Suffix of a file that is not complete yet."""


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; the file is renamed when it is complete and on disk.

    An error leaves no incomplete file, and an earlier file unchanged.
    """
    part = path.with_name(path.name + PART)
    try:
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:  # also Ctrl-C
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_path_in_new_folder(path: Path) -> Iterator[Path]:
    """Do the same as `atomic_path`, and create the folder if it is one of cxrview."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as part:
        yield part


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file atomically, text as UTF-8; its folder is created.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    with raising_cannot_write(path), atomic_path_in_new_folder(path) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def raising_cannot_write(path: Path) -> Iterator[None]:
    """Raise CannotWrite for an OSError in the block, which writes this file."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}") from error


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Raise CannotWrite for an OSError in the block, whose work in this folder can be resumed."""
    try:
        yield
    except OSError as error:
        raise CannotWrite(
            f"{folder} cannot be written: {error.strerror}",
            "Free disk space or name another folder; the same command resumes the work",
        ) from error


def sync_folder(folder: Path) -> None:
    """Flush the entries of a folder to the disk, so that a new name survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def locked(folder: Path, doing: str = "writing") -> Iterator[None]:
    """Lock a folder during the block, or until the process ends.

    Args:
        folder: to lock; it must exist.
        doing: for the message to the process that finds it locked.

    Raises:
        UsageError: another process has locked it.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(ImportError):  # no lock on systems without flock
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(f"another process is {doing} {folder}", "Wait for it") from None
        yield
    finally:
        os.close(handle)


@contextmanager
def locked_new_folder(folder: Path, doing: str = "writing") -> Iterator[None]:
    """Do the same as `locked`, and create the folder if it does not exist.

    Raises:
        UsageError: another process has locked it.
        CannotWrite: it cannot be created.
    """
    with ExitStack() as stack:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder, doing))
        yield
