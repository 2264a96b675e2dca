"""Reads and writes a store of grey squashed pictures for pre-training.

    pixels.npy       (n, 256, 256) uint8, for np.load(..., mmap_mode="r")
    pictures.jsonl   one line per picture: file, partition, class, size, hash, or a failure
    about.json       the inputs, and whether the store is complete

The complete ILSVRC takes 84 GB; memory grows only by a few bytes per picture.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import writing
from cxrview.dataset.append import ABOUT, PIXELS, Appender, Kind, StoreWriter, damaged_store
from cxrview.digests import file_sha256
from cxrview.errors import UsageError
from cxrview.json_file import read_about
from cxrview.terms import Partition

LINES = "pictures.jsonl"
FORMAT = 1
"""Increased when older versions could not read the files any more."""
SYNC_EVERY = 1000
"""Pictures after which everything is synced to disk; a resume checks only the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPicture:
    """One picture of the source, readable or not."""

    file: str
    """Relative to the source."""
    partition: Partition
    wnid: str
    rows: int = 0
    """Rows of the original picture."""
    columns: int = 0
    pixel_sha256: str = ""
    """Of the squashed pixels."""
    failure: str = ""
    """Code of the failure; empty if the picture could be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """An opened, complete store."""

    pixels: NDArray[np.uint8]
    """Shape (n, 256, 256), uint8, read-only, memory-mapped."""
    wnids: tuple[str, ...]
    """The classes, sorted."""
    classes: NDArray[np.int16]
    """Shape (n,), indices into `wnids`."""
    is_training: NDArray[np.bool_]
    """Shape (n,); the others are for validation."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Content of about.json; `content_sha256` is the hash of pixels and lines."""

    def rows(self, partition: Partition) -> NDArray[np.int64]:
        """Give the rows of a partition's pictures, in ascending order."""
        return np.flatnonzero(self.is_training == (partition is Partition.TRAINING))


class PictureWriter(StoreWriter):
    """Context manager that creates a store in a folder, or resumes one.

    Args:
        folder: new, empty, or with an incomplete store of the same conditions.
        side: rows and columns of each picture.
        conditions: what the result depends on, by name, for JSON.

    Raises:
        UsageError: the folder has other files or a store of other conditions, or another process
            writes it.
        CannotWrite: the folder cannot be created or written.
    """

    def __init__(self, folder: Path, side: int, conditions: Mapping[str, Any]) -> None:
        self._folder, self._side = folder, side
        kind = Kind(
            format=FORMAT,
            holds="pictures",
            lines=LINES,
            read_about=_read_about,
            advice="Resume with the same pictures, scale and seed, or choose a new folder",
            sync_every=SYNC_EVERY,
        )
        self._store = Appender(folder, side, kind, conditions)

    def keep(self, picture: KeptPicture, pixels: NDArray[np.uint8] | None) -> None:
        """Append a picture, shape (side, side), uint8; None if it could not be read.

        Raises:
            CannotWrite: the disk is full or not writable.
        """
        self._store.append(asdict(picture), pixels)

    def finish(self) -> None:
        """Write the number of pictures, and mark the store as complete.

        Raises:
            CannotWrite: the disk is full or not writable.
        """
        self._store.end()
        with writing(self._folder):
            self._store.complete(
                pictures=self._store.kept,
                failures=self._store.done - self._store.kept,
                enlarged=self._count_enlarged(),
                content_sha256=file_sha256(self._folder / LINES),
            )

    def _count_enlarged(self) -> int:
        with (self._folder / LINES).open("rb") as lines:
            sizes = ((p["rows"], p["columns"]) for p in map(json.loads, lines) if not p["failure"])
            return sum(rows * columns < self._side**2 for rows, columns in sizes)


def open_pictures(folder: Path) -> Pictures:
    """Open a complete store; its pixels are mapped and read on access.

    Raises:
        UsageError: there is none, it is incomplete, or its files do not fit together.
    """
    about = _read_about(folder)
    if about is None or not about["complete"]:
        raise UsageError(f"{folder} has no pictures, or is incomplete", "Run cxrview pretrain")
    classes, is_training = bytearray(), bytearray()
    places: dict[str, int] = {}
    try:
        with (folder / LINES).open("rb") as lines:
            for picture in map(json.loads, lines):
                if not picture["failure"]:
                    place = places.setdefault(picture["wnid"], len(places))
                    classes += place.to_bytes(2, "little")
                    is_training.append(picture["partition"] == Partition.TRAINING)
        # An empty array cannot be mapped.
        pixels = np.load(folder / PIXELS, mmap_mode="r" if is_training else None)
        if len(pixels) != len(is_training):
            raise ValueError("the numbers of lines and pictures differ")
    except (OSError, ValueError, KeyError) as error:
        raise damaged_store(folder, "Remove it and run the same command again") from error
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
    return read_about(folder / ABOUT, version=FORMAT, needs=("listing_sha256",), what="pictures")
