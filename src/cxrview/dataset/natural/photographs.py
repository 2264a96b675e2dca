"""Reads photographs from a tar or a folder, as images that do not show a chest."""

import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.split import partition_of
from cxrview.errors import UnreadableImage, UsageError
from cxrview.image import SIDE, read_radiograph, squash
from cxrview.records.dataset import NotChest

SOURCE = "photographs"
"""The source of all photographs."""


def read_photographs(
    place: Path, progress: Callable[[int], None] = lambda done: None
) -> tuple[tuple[NotChest, ...], NDArray[np.uint8]]:
    """Read every photograph in grey, squashed, in order of file names.

    The partition is that of the rule for patients; the file's name without folder and ending is
    used as the patient's.

    Args:
        place: tar, or folder with its subfolders; names of files and subfolders that begin
            with a dot are ignored.
        progress: called with 1 after each photograph.

    Returns:
        Rows with the source SOURCE, and pixels, shape (n, 256, 256), uint8, in the same order.

    Raises:
        UsageError: it does not exist, is not a tar, or has a file that is not an image.
    """
    rows, pixels = [], []
    for name, data in sorted(_files(place)):
        try:
            pixels.append(squash(read_radiograph(data).pixels))
        except UnreadableImage as error:
            raise UsageError(
                f"{place}: {name} cannot be read as an image ({error.code})",
                "Use a tar or folder with images only",
            ) from error
        stem = PurePosixPath(name).stem
        rows.append(NotChest(file=name, source=SOURCE, patient=stem, partition=partition_of(stem)))
        progress(1)
    return tuple(rows), np.array(pixels, np.uint8).reshape(-1, SIDE, SIDE)


def _files(place: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name, relative to the place, and the bytes of each file."""
    if place.is_dir():
        for path in place.rglob("[!.]*"):
            name = path.relative_to(place)
            if path.is_file() and not _is_hidden(name):
                yield name.as_posix(), path.read_bytes()
        return
    try:
        with tarfile.open(place) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file and not _is_hidden(PurePosixPath(member.name)):
                    yield member.name, file.read()
    except (OSError, tarfile.TarError) as error:
        raise UsageError(
            f"{place} is neither a folder nor a tar", "Give one to --photographs"
        ) from error


def _is_hidden(name: PurePath) -> bool:
    """Whether the file or a folder above it, within the place, begins with a dot."""
    return any(part.startswith(".") and part != ".." for part in name.parts)
