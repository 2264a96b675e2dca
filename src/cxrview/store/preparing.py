"""Writes a prepared store so that it can be stopped at any point and gone on with.

Each outcome is appended as it comes: the picture to pixels.npy, then a line to
progress.jsonl. A line without its picture, or the other way round, is cut off when the
store is opened again, so that the finished bytes do not depend on how often that was.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from cxrview.errors import CannotWrite, UsageError
from cxrview.records import Failure, PreparedImage
from cxrview.store.prepared import (
    ABOUT,
    FAILURES,
    FORMAT,
    INDEX,
    PIXELS,
    PROGRESS,
    holds_former_store,
    read_about,
    write_index,
    write_prepare_failures,
)
from cxrview.terms import View

_PART = ".part"


class PreparedWriter:
    """The store in a folder, from where it stands on; a context manager.

    Args:
        folder: new, empty, or holding a store that was begun under the same conditions.
        side: rows and columns of each picture.
        conditions: what the result depends on besides the files, by name.
        overwrite: begin anew, whatever store stands there.

    Raises:
        UsageError: other files stand there, a store under other conditions, or another process
            is writing it.
        CannotWrite: the folder cannot be made or written.
    """

    def __init__(
        self, folder: Path, side: int, conditions: Mapping[str, Any], *, overwrite: bool = False
    ) -> None:
        self._folder, self._side = folder, side
        self._about = {"format": FORMAT, "side": side, **conditions}
        self._images: list[PreparedImage] = []
        self._failures: list[Failure] = []
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder)
            try:
                if overwrite:
                    _remove_store(folder)
                self.is_complete = self._agree_on_conditions()
                if not self.is_complete:
                    self._pixels, self._progress = self._open_where_it_stands()
            except BaseException:
                os.close(self._lock)
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.is_complete:
            for file in (self._pixels, self._progress):
                with suppress(OSError):  # of a full disk, which was told already
                    file.close()
        os.close(self._lock)

    @property
    def done(self) -> int:
        """How many labels have their outcome, in the order of the labels."""
        return len(self._images) + len(self._failures)

    def keep(self, image: PreparedImage, pixels: NDArray[np.uint8]) -> None:
        """Append a picture, shape (side, side), uint8; its row is the next one.

        Raises:
            CannotWrite: the disk took no more.
        """
        image = replace(image, row=len(self._images))
        with self._writing():
            self._pixels.write(pixels.tobytes())
            self._pixels.flush()
            self._note(asdict(image))
        self._images.append(image)

    def fail(self, failure: Failure) -> None:
        """Append a file that gave no picture.

        Raises:
            CannotWrite: the disk took no more.
        """
        with self._writing():
            self._note(asdict(failure))
        self._failures.append(failure)

    def finish(self) -> None:
        """Write index, failures and, last of all, that the store is complete.

        Raises:
            CannotWrite: the disk took no more.
        """
        with self._writing():
            self._pixels.seek(0)
            self._pixels.write(_npy_header(len(self._images), self._side))
            self._pixels.flush()
            os.fsync(self._pixels.fileno())
            with _whole(self._folder / INDEX) as part:
                write_index(part, self._images)
            with _whole(self._folder / FAILURES) as part:
                write_prepare_failures(part, self._failures)
            self._write_about(
                complete=True,
                images=len(self._images),
                failures=len(self._failures),
                content_sha256=_content_sha256(self._images),
            )
            (self._folder / PROGRESS).unlink()

    def _agree_on_conditions(self) -> bool:
        """Whether the store is complete already; one begun now says what it is begun under."""
        standing = read_about(self._folder)
        if standing is None:
            if {path.name for path in self._folder.iterdir()} - {ABOUT + _PART}:
                raise UsageError(
                    f"{self._folder} holds other files and no prepared store", "Name a new folder"
                )
            self._write_about(complete=False)
            return False
        changed = [
            f"{name} was {standing.get(name, 'not set')}, is {value}"
            for name, value in self._about.items()
            if standing.get(name) != value
        ]
        if changed:
            raise UsageError(
                f"{self._folder} was made under other conditions: {'; '.join(changed)}",
                "Go on with the same ones, name a new folder, or begin anew with --overwrite",
            )
        if standing["complete"]:  # stopped when only this was left to do
            (self._folder / PROGRESS).unlink(missing_ok=True)
        return bool(standing["complete"])

    def _open_where_it_stands(self) -> tuple[IO[bytes], IO[bytes]]:
        pixels = _open_or_make(self._folder / PIXELS)
        progress = _open_or_make(self._folder / PROGRESS)
        header = _npy_header(0, self._side)
        pixels.seek(0)
        pixels.write(header)  # of no rows, as long as it is not complete
        end = 0
        for line in progress:
            if not self._takes_back(line, pixels):
                break
            end += len(line)
        progress.truncate(end)
        progress.seek(end)
        end = len(header) + len(self._images) * self._side**2
        pixels.truncate(end)
        pixels.seek(end)
        return pixels, progress

    def _takes_back(self, line: bytes, pixels: IO[bytes]) -> bool:
        """Whether a line of an earlier run is whole, and its picture too."""
        try:
            fields = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            return False
        if fields is None:
            return False
        if "code" in fields:
            self._failures.append(Failure(**fields))
            return True
        claimed = View(fields["header_view"]) if fields["header_view"] else None
        fields |= {"view": View(fields["view"]), "header_view": claimed}
        fields |= {"warnings": tuple(fields["warnings"])}
        image = PreparedImage(**fields)
        if hashlib.sha256(pixels.read(self._side**2)).hexdigest() != image.pixel_sha256:
            return False
        self._images.append(image)
        return True

    def _note(self, fields: dict[str, Any]) -> None:
        self._progress.write(json.dumps(fields).encode() + b"\n")
        self._progress.flush()

    def _write_about(self, **more: Any) -> None:
        text = json.dumps(self._about | more, indent=2) + "\n"
        with _whole(self._folder / ABOUT) as part:
            part.write_text(text, encoding="utf-8")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CannotWrite(
                f"{self._folder} cannot be written: {error.strerror}",
                "Make room or name another folder; the same command goes on from where it stands",
            ) from error


def _lock(folder: Path) -> int:
    """Hold the folder until closed or dead; two writers would mix their pictures."""
    handle = os.open(folder, os.O_RDONLY)
    with suppress(ImportError):  # where there is no flock, nobody is kept out
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise UsageError(f"another process is preparing {folder}", "Wait for it") from None
    return handle


def _remove_store(folder: Path) -> None:
    """About last: a folder that still says what it is can be overwritten again."""
    if not holds_former_store(folder) and read_about(folder) is None:
        return
    names = (PROGRESS, INDEX, FAILURES, PIXELS)
    for name in [*(n + _PART for n in (INDEX, FAILURES, ABOUT)), *names, ABOUT]:
        (folder / name).unlink(missing_ok=True)


def _open_or_make(path: Path) -> IO[bytes]:
    path.touch()
    return path.open("r+b")


def _npy_header(rows: int, side: int) -> bytes:
    """The same length for any number of rows: NumPy leaves room for the first axis to grow."""
    out = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": (rows, side, side)}
    np.lib.format.write_array_header_1_0(out, facts)
    return out.getvalue()


def _content_sha256(images: list[PreparedImage]) -> str:
    digest = hashlib.sha256()
    for image in images:
        digest.update(json.dumps(asdict(image)).encode() + b"\n")
    return digest.hexdigest()


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    """A file appears under its name only when it is whole and on the disk."""
    part = path.with_name(path.name + _PART)
    yield part
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
