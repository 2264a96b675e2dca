"""Everyday pictures kept once, squashed and grey, for the pre-training to learn from.

    pixels.npy       (n, 256, 256) uint8, for np.load(..., mmap_mode="r")
    pictures.jsonl   one line a picture: file, partition, class, size, hash; or why it has no pixels
    about.json       what it was made from, and whether it is complete

The true ILSVRC comes to 84 GB: nothing here grows with it but a few bytes a picture.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from cxrview.errors import CannotWrite, UsageError
from cxrview.terms import Partition

PIXELS, LINES, ABOUT = "pixels.npy", "pictures.jsonl", "about.json"
FORMAT = 1
"""Raised when an older reader could not read what is written."""
SYNC_EVERY = 1000
"""Pictures. What came before is on the disk for sure; only the rest is looked at on a resume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPicture:
    """One picture of the source, whether or not it could be read."""

    file: str
    """Relative to the source."""
    partition: Partition
    wnid: str
    rows: int = 0
    """As it was before it was squashed."""
    columns: int = 0
    pixel_sha256: str = ""
    """Of the squashed pixels."""
    failure: str = ""
    """Why it has no pixels, in one word; empty where it has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """A complete store, opened."""

    pixels: NDArray[np.uint8]
    """Shape (n, 256, 256), uint8, read-only, mapped from the disk."""
    wnids: tuple[str, ...]
    """Of the classes, sorted."""
    classes: NDArray[np.int16]
    """Shape (n,), places in `wnids`."""
    is_training: NDArray[np.bool_]
    """Shape (n,); the others are for validation."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What it was made from; `content_sha256` names pixels and lines together."""

    def rows(self, partition: Partition) -> NDArray[np.int64]:
        """Rows of a partition's pictures, rising."""
        return np.flatnonzero(self.is_training == (partition is Partition.TRAINING))


class PictureWriter:
    """The store in a folder, from where it stands on; a context manager.

    Args:
        folder: new, empty, or holding a store that was begun under the same conditions.
        side: rows and columns of each picture.
        conditions: what the result depends on, by name, for JSON.

    Raises:
        UsageError: other files stand there, a store under other conditions, or another process
            is writing it.
        CannotWrite: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, side: int, conditions: Mapping[str, Any]) -> None:
        self._folder, self._side = folder, side
        self._about = {"format": FORMAT, "side": side, **conditions}
        self._kept = self.done = 0
        """`done`: pictures of the source that have their line, in its order."""
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder)
            try:
                self.is_complete = self._agree_on_conditions()
                if not self.is_complete:
                    self._pixels, self._lines = self._open_where_it_stands()
            except BaseException:
                os.close(self._lock)
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.is_complete:
            for file in (self._pixels, self._lines):
                with suppress(OSError):  # of a full disk, which was told already
                    file.close()
        os.close(self._lock)

    def keep(self, picture: KeptPicture, pixels: NDArray[np.uint8] | None) -> None:
        """Append a picture, shape (side, side), uint8; None where it could not be read.

        Raises:
            CannotWrite: the disk took no more.
        """
        with self._writing():
            if pixels is not None:
                self._pixels.write(pixels.tobytes())
                self._pixels.flush()
                self._kept += 1
            self._lines.write(json.dumps(asdict(picture)).encode() + b"\n")
            self._lines.flush()
            self.done += 1
            if self.done % SYNC_EVERY == 0:
                self._sync()

    def finish(self) -> None:
        """Write how many there are and, last of all, that the store is complete.

        Raises:
            CannotWrite: the disk took no more.
        """
        with self._writing():
            self._pixels.seek(0)
            self._pixels.write(_npy_header(self._kept, self._side))
            self._pixels.flush()
            self._sync()
            with (self._folder / LINES).open("rb") as lines:
                content = hashlib.file_digest(lines, "sha256").hexdigest()
            self._write_about(
                complete=True,
                pictures=self._kept,
                failures=self.done - self._kept,
                enlarged=self._count_enlarged(),
                content_sha256=content,
            )

    def _agree_on_conditions(self) -> bool:
        """Whether the store is complete already; one begun now says what it is begun under."""
        standing = _read_about(self._folder)
        if standing is None:
            if {path.name for path in self._folder.iterdir()} - {ABOUT + ".part"}:
                raise UsageError(
                    f"{self._folder} holds other files and no pictures", "Name a new folder"
                )
            self._write_about(complete=False)
            return False
        changed = [name for name, value in self._about.items() if standing.get(name) != value]
        if changed:
            raise UsageError(
                f"{self._folder} was made under other conditions: {', '.join(changed)} differ",
                "Go on with the same pictures, scale and seed, or name a new folder",
            )
        return bool(standing["complete"])

    def _open_where_it_stands(self) -> tuple[IO[bytes], IO[bytes]]:
        pixels = _open_or_make(self._folder / PIXELS)
        lines = _open_or_make(self._folder / LINES)
        header = _npy_header(0, self._side)
        pixels.write(header)  # of no rows, as long as it is not complete
        whole = sum(line.endswith(b"\n") for line in lines)
        lines.seek(0)
        end = 0
        for line in lines:
            if not self._takes_back(line, pixels, is_synced=self.done < whole - SYNC_EVERY):
                break
            end += len(line)
        lines.truncate(end)
        lines.seek(end)
        end = len(header) + self._kept * self._side**2
        pixels.truncate(end)
        pixels.seek(end)
        return pixels, lines

    def _takes_back(self, line: bytes, pixels: IO[bytes], *, is_synced: bool) -> bool:
        """Whether a line of an earlier run is whole, and its picture too."""
        try:
            picture = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            return False
        if picture is None:
            return False
        if not picture["failure"]:
            if is_synced:
                pixels.seek(self._side**2, os.SEEK_CUR)
            elif hashlib.sha256(pixels.read(self._side**2)).hexdigest() != picture["pixel_sha256"]:
                return False
            self._kept += 1
        self.done += 1
        return True

    def _count_enlarged(self) -> int:
        with (self._folder / LINES).open("rb") as lines:
            sizes = ((p["rows"], p["columns"]) for p in map(json.loads, lines) if not p["failure"])
            return sum(rows * columns < self._side**2 for rows, columns in sizes)

    def _sync(self) -> None:
        for file in (self._pixels, self._lines):
            os.fsync(file.fileno())

    def _write_about(self, **more: Any) -> None:
        part = self._folder / (ABOUT + ".part")
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps(self._about | more, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / ABOUT)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CannotWrite(
                f"{self._folder} cannot be written: {error.strerror}",
                "Make room or name another folder; the same command goes on from where it stands",
            ) from error


def open_pictures(folder: Path) -> Pictures:
    """Open a complete store; its pixels stay on the disk until they are looked at.

    Raises:
        UsageError: there is none, it is not complete, or its files do not fit together.
    """
    about = _read_about(folder)
    if about is None or not about["complete"]:
        raise UsageError(f"{folder} holds no pictures, or not all yet", "Run cxrview pretrain")
    classes, is_training = bytearray(), bytearray()
    places: dict[str, int] = {}
    try:
        with (folder / LINES).open("rb") as lines:
            for picture in map(json.loads, lines):
                if not picture["failure"]:
                    place = places.setdefault(picture["wnid"], len(places))
                    classes += place.to_bytes(2, "little")
                    is_training.append(picture["partition"] == Partition.TRAINING)
        # Nothing cannot be mapped.
        pixels = np.load(folder / PIXELS, mmap_mode="r" if is_training else None)
        if len(pixels) != len(is_training):
            raise ValueError("there are not as many lines as pictures")
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{folder} is damaged: its files are not all there or do not fit together",
            "Remove it and run the same command again",
        ) from error
    wnids = tuple(sorted(places))
    sorted_place = np.zeros(len(places), np.int16)
    for number, wnid in enumerate(wnids):
        sorted_place[places[wnid]] = number
    return Pictures(
        pixels=pixels,
        wnids=wnids,
        classes=sorted_place[np.frombuffer(classes, "<u2")],
        is_training=np.frombuffer(is_training, np.bool_),
        about=about,
    )


def _read_about(folder: Path) -> dict[str, Any] | None:
    path = folder / ABOUT
    if not path.is_file():
        return None
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        known = about["format"] == FORMAT and "listing_sha256" in about
        known = known and isinstance(about["complete"], bool)
    except (OSError, ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise UsageError(f"{path} is not that of pictures of this version", "Name another folder")
    return dict(about)


def _lock(folder: Path) -> int:
    """Hold the folder until closed or dead; two writers would mix their pictures."""
    handle = os.open(folder, os.O_RDONLY)
    with suppress(ImportError):  # where there is no flock, nobody is kept out
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise UsageError(f"another process is writing {folder}", "Wait for it") from None
    return handle


def _open_or_make(path: Path) -> IO[bytes]:
    path.touch()
    return path.open("r+b")


def _npy_header(rows: int, side: int) -> bytes:
    """The same length for any number of rows: NumPy leaves room for the first axis to grow."""
    out = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": (rows, side, side)}
    np.lib.format.write_array_header_1_0(out, facts)
    return out.getvalue()
