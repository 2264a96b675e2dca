"""Writes pictures one after the other so that it can be stopped at any point and gone on with.

    pixels.npy   (n, side, side) uint8; of no rows by its heading until all are there
    lines        a file of JSON lines: one an outcome, be it a picture or a failure
    about.json   what it is made from, and whether it is complete

A picture is appended first, then its line. A line without its picture, or the other way
round, is cut off when the store is opened again, so that the finished bytes do not depend on
how often that was.
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

from cxrview.atomic_files import PART, atomic_path, locked, writing
from cxrview.dataset.changed_conditions import changed_conditions
from cxrview.errors import UsageError

PIXELS, ABOUT = "pixels.npy", "about.json"
SHA256 = "pixel_sha256"
"""Field of a line: that of its picture's bytes. A line without it, or empty, has no picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What sets one kind of such a store apart from another."""

    format: int
    """Stands in about.json."""
    holds: str
    """What is missed in a folder of other files."""
    lines: str
    """Name of the file of lines."""
    read_about: Callable[[Path], dict[str, Any] | None]
    """Reads the about.json of a folder; None where there is none, UsageError if of another kind."""
    advice: str
    """Where a store stands that was made under other conditions."""
    doing: str = "writing"
    """What another process is doing that holds the folder."""
    sync_every: int | None = None
    """Outcomes after which all is put onto the disk, so that only the rest is looked at on a
    resume; None where all is looked at."""


class Appender:
    """The store in a folder, from where it stands on; a context manager.

    Args:
        folder: new, empty, or holding a store that was begun under the same conditions.
        side: rows and columns of each picture.
        kind: which store.
        conditions: what the result depends on, by name, for JSON.
        recall: given each line that stands whole from an earlier run, in turn.
        clear: called when the folder is held and before it is looked into.

    Raises:
        UsageError: other files stand there, a store under other conditions, or another process
            is writing it.
        CannotWrite: the folder cannot be made or written.
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
        """`done`: outcomes that have their line; `kept`: those with a picture."""
        with ExitStack() as stack, writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(folder, kind.doing))
            clear(folder)
            self.is_complete = self._agree_on_conditions()
            if not self.is_complete:
                self._pixels = stack.enter_context(_opened(folder / PIXELS))
                self._lines = stack.enter_context(_opened(folder / kind.lines))
                self._take_up(recall)
            self._open = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def append(self, fields: Mapping[str, Any], pixels: NDArray[np.uint8] | None = None) -> None:
        """Append an outcome: its picture, shape (side, side), uint8, if it has one, and its line.

        Raises:
            CannotWrite: the disk took no more.
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
        """Write into the heading how many pictures there are, and put all onto the disk.

        Raises:
            CannotWrite: the disk took no more.
        """
        with writing(self._folder):
            self._pixels.seek(0)
            self._pixels.write(self._heading(self.kept))
            self._pixels.flush()
            self._sync()

    def complete(self, **facts: Any) -> None:
        """Say in about.json, last of all, that the store is complete, with these facts.

        Raises:
            CannotWrite: the disk took no more.
        """
        with writing(self._folder):
            self._write_about(complete=True, **facts)

    def _agree_on_conditions(self) -> bool:
        """Whether the store is complete already; one begun now says what it is begun under."""
        standing = self._kind.read_about(self._folder)
        if standing is None:
            if {path.name for path in self._folder.iterdir()} - {ABOUT + PART}:
                raise UsageError(
                    f"{self._folder} holds other files and no {self._kind.holds}",
                    "Name a new folder",
                )
            self._write_about(complete=False)
            return False
        if changed := changed_conditions(standing, self._about):
            raise UsageError(
                f"{self._folder} was made with other inputs or options: {'; '.join(changed)}",
                self._kind.advice,
            )
        return bool(standing["complete"])

    def _take_up(self, recall: Callable[[dict[str, Any]], None]) -> None:
        """Go to the end of what stands whole, and cut off the rest."""
        self._pixels.write(self._heading(0))
        synced = self._count_synced()
        end = 0
        for line in self._lines:
            fields = self._read_whole(line, is_synced=self.done < synced)
            if fields is None:
                break
            self.done += 1
            self.kept += bool(fields.get(SHA256))
            recall(fields)
            end += len(line)
        _cut(self._lines, end)
        _cut(self._pixels, len(self._heading(0)) + self.kept * self._side**2)

    def _count_synced(self) -> int:
        if not self._kind.sync_every:
            return 0
        complete = sum(line.endswith(b"\n") for line in self._lines)
        self._lines.seek(0)
        return complete - self._kind.sync_every

    def _read_whole(self, line: bytes, *, is_synced: bool) -> dict[str, Any] | None:
        """The fields of a line; None where it or its picture is not whole."""
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

    def _heading(self, rows: int) -> bytes:
        return npy_heading((rows, self._side, self._side))

    def _sync(self) -> None:
        for file in (self._pixels, self._lines):
            os.fsync(file.fileno())

    def _write_about(self, **more: Any) -> None:
        with atomic_path(self._folder / ABOUT) as part:
            part.write_text(json.dumps(self._about | more, indent=2) + "\n", encoding="utf-8")


def npy_heading(shape: tuple[int, ...]) -> bytes:
    """Of uint8; as long for any number of rows: NumPy leaves room for the first axis to grow."""
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
        with suppress(OSError):  # of a full disk, which was told already
            file.close()


def _cut(file: IO[bytes], end: int) -> None:
    file.truncate(end)
    file.seek(end)
