"""Everyday pictures kept once, squashed and grey, for the pre-training to learn from.

    pixels.npy       (n, 256, 256) uint8, for np.load(..., mmap_mode="r")
    pictures.jsonl   one line a picture: file, partition, class, size, hash; or why it has no pixels
    about.json       what it was made from, and whether it is complete

The true ILSVRC comes to 84 GB: nothing here grows with it but a few bytes a picture.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import writing
from cxrview.dataset.append import ABOUT, PIXELS, Appender, Kind
from cxrview.errors import UsageError
from cxrview.terms import Partition

LINES = "pictures.jsonl"
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
        kind = Kind(
            format=FORMAT,
            holds="pictures",
            lines=LINES,
            read_about=_read_about,
            advice="Go on with the same pictures, scale and seed, or name a new folder",
            sync_every=SYNC_EVERY,
        )
        self._store = Appender(folder, side, kind, conditions)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.__exit__()

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to do."""
        return self._store.is_complete

    @property
    def done(self) -> int:
        """Pictures of the source that have their line, in its order."""
        return self._store.done

    def keep(self, picture: KeptPicture, pixels: NDArray[np.uint8] | None) -> None:
        """Append a picture, shape (side, side), uint8; None where it could not be read.

        Raises:
            CannotWrite: the disk took no more.
        """
        self._store.append(asdict(picture), pixels)

    def finish(self) -> None:
        """Write how many there are and, last of all, that the store is complete.

        Raises:
            CannotWrite: the disk took no more.
        """
        self._store.end()
        with writing(self._folder):
            with (self._folder / LINES).open("rb") as lines:
                content = hashlib.file_digest(lines, "sha256").hexdigest()
            self._store.complete(
                pictures=self._store.kept,
                failures=self._store.done - self._store.kept,
                enlarged=self._count_enlarged(),
                content_sha256=content,
            )

    def _count_enlarged(self) -> int:
        with (self._folder / LINES).open("rb") as lines:
            sizes = ((p["rows"], p["columns"]) for p in map(json.loads, lines) if not p["failure"])
            return sum(rows * columns < self._side**2 for rows, columns in sizes)


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
