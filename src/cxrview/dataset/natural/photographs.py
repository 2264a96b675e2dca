"""Photographs of anything, from a tar or a folder: what is surely no radiograph of a chest."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.split import partition_of
from cxrview.errors import UnreadableImage, UsageError
from cxrview.image import SIDE, read_radiograph, squash
from cxrview.records import NotChest

SOURCE = "photographs"
"""What they stand under where sources are named."""


def read_photographs(
    place: Path, progress: Callable[[int], None] = lambda done: None
) -> tuple[tuple[NotChest, ...], NDArray[np.uint8]]:
    """Read every picture in grey, squashed, in the order of their names.

    Each belongs to a partition by the rule for patients; the name of its file, without folder and
    ending, stands for a patient's.

    Args:
        place: tar, or folder with its folders; what begins with a dot is passed over.
        progress: told of each picture, by 1.

    Returns:
        Rows with SOURCE for a source, and pixels, shape (n, 256, 256), uint8, in the same order.

    Raises:
        UsageError: there is no such place, it is no tar, or it holds something that is no picture.
    """
    rows, pixels = [], []
    for name, data in sorted(_files(place)):
        try:
            pixels.append(squash(read_radiograph(data).pixels))
        except UnreadableImage as error:
            raise UsageError(
                f"{place}: {name} cannot be read as a picture ({error.code})",
                "Name a tar or folder that holds pictures alone",
            ) from error
        stem = PurePosixPath(name).stem
        rows.append(NotChest(file=name, source=SOURCE, patient=stem, partition=partition_of(stem)))
        progress(1)
    return tuple(rows), np.array(pixels, np.uint8).reshape(-1, SIDE, SIDE)


def _files(place: Path) -> Iterator[tuple[str, bytes]]:
    """Name, relative to the place, and bytes."""
    if place.is_dir():
        for path in place.rglob("[!.]*"):
            if path.is_file():
                yield path.relative_to(place).as_posix(), path.read_bytes()
        return
    try:
        with tarfile.open(place) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file and not PurePosixPath(member.name).name.startswith("."):
                    yield member.name, file.read()
    except (OSError, tarfile.TarError) as error:
        raise UsageError(
            f"there is no folder and no tar {place}", "Name one to --photographs"
        ) from error
