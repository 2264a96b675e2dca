"""Appends images and their outcomes to files, resumable at any point.

    pixels.npy   (n, side, side) uint8; its header says 0 rows until it is complete
    lines        a file of JSON lines, one per outcome: an image or a failure
    about.json   the conditions, and whether the store is complete

An image is appended first, then its line. When the store is opened again, a line without its image
or an image without its line is removed, so that the final bytes do not depend on interruptions.
"""

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import PART, locked, writing
from cxrview.dataset.changed_conditions import changed_conditions
from cxrview.errors import UsageError
from cxrview.json_file import write_json

PIXELS, ABOUT = "pixels.npy", "about.json"
SHA256 = "pixel_sha256"
"""Field of a line: hash of the image's bytes. It is missing or empty if there is no image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one kind of store differs from another."""

    format: int
    """Version number in about.json."""
    holds: str
    """Name of the content, for the message about a folder with other files."""
    lines: str
    """Name of the file with the JSON lines."""
    read_about: Callable[[Path], dict[str, Any] | None]
    """Reads about.json of a folder; None if there is none, UsageError if it is of another kind."""
    advice: str
    """For the message about a store of other conditions."""
    doing: str = "writing"
    """What another process that has locked the folder is doing."""
    sync_every: int | None = None
    """Outcomes after which everything is synced to disk, so that a resume checks only the rest;
    None checks everything."""


class Appender:
    """Context manager that creates a store in a folder, or resumes one.

    Args:
        folder: new, empty, or with an incomplete store of the same conditions.
        side: rows and columns of each image.
        kind: of the store.
        conditions: what the result depends on, by name, for JSON.
        recall: called with each complete line of an earlier run, in order.
        clear: called with the locked folder before its content is checked.

    Raises:
        UsageError: the folder has other files or a store of other conditions, or another process
            writes it.
        CannotWrite: the folder cannot be created or written.
    """

    def __init__(
        self,
        folder: Path,
        side: int,
        kind: Kind,
        conditions: Mapping[str, Any],
        *,
        recall: Callable[[dict[str, Any]], None] = lambda fields: None,
        clear: Callable[[Path], None] = lambda folder: None,
    ) -> None:
        self._folder, self._side, self._kind = folder, side, kind
        self._about = {"format": kind.format, "side": side, **conditions}
        self.done = self.kept = 0
        """`done`: outcomes with a line; `kept`: those with an image."""
        with ExitStack() as stack, writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder, kind.doing))
            clear(folder)
            self.is_complete = self._agree_on_conditions()
            if not self.is_complete:
                self._pixels = stack.enter_context(_opened(folder / PIXELS))
                self._lines = stack.enter_context(_opened(folder / kind.lines))
                self._resume(recall)
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def append(self, fields: Mapping[str, Any], pixels: NDArray[np.uint8] | None = None) -> None:
        """Append an outcome: its image, shape (side, side), uint8, if there is one, and its line.

        Raises:
            CannotWrite: the disk is full or not writable.
        """
        with writing(self._folder):
            if pixels is not None:
                self._pixels.write(pixels.tobytes())
                self._pixels.flush()
                self.kept += 1
            self._lines.write(json.dumps(fields).encode() + b"\n")
            self._lines.flush()
            self.done += 1
            if self._kind.sync_every and self.done % self._kind.sync_every == 0:
                self._sync()

    def end(self) -> None:
        """Write the number of images into the header, and sync everything to disk.

        Raises:
            CannotWrite: the disk is full or not writable.
        """
        with writing(self._folder):
            self._pixels.seek(0)
            self._pixels.write(self._header(self.kept))
            self._pixels.flush()
            self._sync()

    def complete(self, **facts: Any) -> None:
        """Mark the store as complete in about.json, with these facts.

        Raises:
            CannotWrite: the disk is full or not writable.
        """
        with writing(self._folder):
            self._write_about(complete=True, **facts)

    def _agree_on_conditions(self) -> bool:
        """Check the conditions of an existing store, or write them; is the store complete?"""
        found = self._kind.read_about(self._folder)
        if found is None:
            if {path.name for path in self._folder.iterdir()} - {ABOUT + PART}:
                raise UsageError(
                    f"{self._folder} has other files and not a {self._kind.holds}",
                    "Choose a new folder",
                )
            self._write_about(complete=False)
            return False
        if changed := changed_conditions(found, self._about):
            raise UsageError(
                f"{self._folder} was made with other inputs or options: {'; '.join(changed)}",
                self._kind.advice,
            )
        return bool(found["complete"])

    def _resume(self, recall: Callable[[dict[str, Any]], None]) -> None:
        """Go to the end of the complete outcomes, and remove the rest."""
        self._pixels.write(self._header(0))
        synced = self._count_synced()
        end = 0
        for line in self._lines:
            fields = self._read_complete(line, is_synced=self.done < synced)
            if fields is None:
                break
            self.done += 1
            self.kept += bool(fields.get(SHA256))
            recall(fields)
            end += len(line)
        _cut(self._lines, end)
        _cut(self._pixels, len(self._header(0)) + self.kept * self._side**2)

    def _count_synced(self) -> int:
        if not self._kind.sync_every:
            return 0
        complete = sum(line.endswith(b"\n") for line in self._lines)
        self._lines.seek(0)
        return complete - self._kind.sync_every

    def _read_complete(self, line: bytes, *, is_synced: bool) -> dict[str, Any] | None:
        """Read the fields of a line; None if it or its image is incomplete."""
        try:
            fields = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            return None
        if not isinstance(fields, dict):
            return None
        if fields.get(SHA256):
            if is_synced:
                self._pixels.seek(self._side**2, os.SEEK_CUR)
            elif hashlib.sha256(self._pixels.read(self._side**2)).hexdigest() != fields[SHA256]:
                return None
        return fields

    def _header(self, rows: int) -> bytes:
        return npy_header((rows, self._side, self._side))

    def _sync(self) -> None:
        for file in (self._pixels, self._lines):
            os.fsync(file.fileno())

    def _write_about(self, **more: Any) -> None:
        write_json(self._folder / ABOUT, self._about | more)


class StoreWriter:
    """Base of the writers of stores: a context manager over an `Appender`."""

    _store: Appender

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.__exit__()

    @property
    def is_complete(self) -> bool:
        """Whether the store is already complete."""
        return self._store.is_complete

    @property
    def done(self) -> int:
        """Number of outcomes with a line, in the order of the source."""
        return self._store.done


def damaged_store(folder: Path, advice: str) -> UsageError:
    """Return the error for a store whose files are missing or contradict each other."""
    return UsageError(f"{folder} is damaged: files are missing or do not fit together", advice)


def npy_header(shape: tuple[int, ...]) -> bytes:
    """Make the header of a uint8 array; its length does not depend on the number of rows."""
    out = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(out, facts)
    return out.getvalue()


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    path.touch()
    file = path.open("r+b")
    try:
        yield file
    finally:
        with suppress(OSError):  # of a full disk, which was reported already
            file.close()


def _cut(file: IO[bytes], end: int) -> None:
    file.truncate(end)
    file.seek(end)
