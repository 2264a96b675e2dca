"""Creates a store of grey squashed pictures from an ILSVRC-style tree or a tar of one.

The tree is `train/<wnid>/*` and `val/<wnid>/*`, or only `<wnid>/*`, which is all for training.
The folder's name is the class; files of one class are in order of their names, those of a tar in
the order of the tar.
"""

import hashlib
import os
import tarfile
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.natural.store import KeptPicture, Pictures, PictureWriter, open_pictures
from cxrview.errors import CannotOpen, UnreadableImage, UsageError
from cxrview.image import SIDE, read_radiograph, squash
from cxrview.terms import Partition

_PARTITIONS = {"train": Partition.TRAINING, "val": Partition.VALIDATION}
_AHEAD = 8
"""Pictures per thread that are being read or waiting."""
_TREE = "It should have train/<wnid>/* and val/<wnid>/*, or <wnid>/*"

Outcome = tuple[KeptPicture, NDArray[np.uint8] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePicture:
    """One file of the source, not read yet."""

    file: str
    """Relative to the source, with `/`."""
    partition: Partition
    wnid: str
    size: int
    """Bytes."""
    read: Callable[[], bytes]


def find_pictures(source: Path) -> Iterator[SourcePicture]:
    """Find every picture of a folder or tar, always in the same order.

    Read each picture before the next one. Memory is that of one class.

    Raises:
        UsageError: the source does not exist, or is not a tree of classes.
    """
    if source.is_dir():
        yield from _find_in_folder(source)
    elif source.is_file():
        yield from _find_in_tar(source)
    else:
        raise UsageError(f"{source} is neither a folder nor a tar", _TREE)


def count_classes(source: Path) -> dict[Partition, Counter[str]]:
    """Count the pictures of each partition by wnid.

    Raises:
        UsageError: as `find_pictures`, or the source has no training picture.
    """
    counts: dict[Partition, Counter[str]] = {p: Counter() for p in _PARTITIONS.values()}
    for picture in find_pictures(source):
        counts[picture.partition][picture.wnid] += 1
    if not counts[Partition.TRAINING]:
        raise UsageError(f"{source} has no training pictures", _TREE)
    return counts


def listing_sha256(pictures: Iterable[SourcePicture]) -> str:
    """Hash names and sizes, since hashing 150 GB would take longer than reading the pictures."""
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(f"{picture.partition} {picture.size} {picture.file!r}\n".encode())
    return digest.hexdigest()


def store_pictures(
    source: Path,
    out: Path,
    *,
    wnids: Collection[str],
    per_class: int | None = None,
    workers: int = 2,
    watch: Callable[[int], None] = lambda done: None,
) -> Pictures:
    """Read each picture as grey, squash it and write it to a store; then open the store.

    If it is stopped, the same call resumes and ends with the same bytes. A complete store is
    opened. A file that cannot be read has a line and no pixels.

    Args:
        source: as for `find_pictures`.
        out: folder; new, empty, or of the same call.
        wnids: the classes to store.
        per_class: number of pictures of one class and partition, the first ones; all if None.
        workers: threads that decode, at least 1. The result does not depend on it.
        watch: called with how many more pictures are done.

    Raises:
        UsageError: the source is not valid, no picture could be read, or `out` has other files or
            pictures of another source.
        CannotWrite: the disk is full or not writable.

    Source:
        Paper, section 3: ImageNet in grey. Luma and the squashing to 256 x 256 are those for
        radiographs (ours: the paper does not say).
    """
    conditions = {
        "listing_sha256": listing_sha256(_select(source, wnids, per_class)),
        "per_class": per_class,
        "version": version("cxrview"),
    }
    with PictureWriter(out, SIDE, conditions) as writer:
        if not writer.is_complete:
            watch(writer.done)
            left = islice(_select(source, wnids, per_class), writer.done, None)
            for picture, pixels in _squash_all(left, workers):
                writer.keep(picture, pixels)
                watch(1)
            writer.finish()
    pictures = open_pictures(out)
    if not pictures.rows(Partition.TRAINING).size:
        raise UsageError(f"no training picture of {source} could be read", _TREE)
    return pictures


def _find_in_folder(root: Path) -> Iterator[SourcePicture]:
    tops = [root / name for name in _PARTITIONS if (root / name).is_dir()] or [root]
    for top in tops:
        folders = sorted(p for p in top.iterdir() if p.is_dir() and not p.name.startswith("."))
        if not folders:
            raise UsageError(f"{top} has no class folders", _TREE)
        for folder in folders:
            with os.scandir(folder) as entries:
                files = sorted((e.name, e.stat().st_size) for e in entries if e.is_file())
            for name, size in files:
                if not name.startswith("."):
                    yield SourcePicture(
                        file=(folder / name).relative_to(root).as_posix(),
                        partition=_PARTITIONS.get(top.name, Partition.TRAINING),
                        wnid=folder.name,
                        size=size,
                        read=(folder / name).read_bytes,
                    )


def _find_in_tar(path: Path) -> Iterator[SourcePicture]:
    try:
        with tarfile.open(path) as tar:
            while (member := tar.next()) is not None:
                tar.members = []  # type: ignore[attr-defined]  # it would keep a million members
                picture = _picture_of(tar, member)
                if picture is not None:
                    yield picture
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UsageError(f"{path} is not a tar, or it is damaged", "Download it again") from error


def _picture_of(tar: tarfile.TarFile, member: tarfile.TarInfo) -> SourcePicture | None:
    """Make the record of a member; None if it is not a file of a training or validation class."""
    parts = PurePosixPath(member.name).parts
    if not member.isfile() or len(parts) < 2 or parts[-1].startswith("."):
        return None
    above = parts[-3] if len(parts) > 2 else ""
    if above == "test":
        return None

    def read() -> bytes:
        file = tar.extractfile(member)
        return file.read() if file else b""

    return SourcePicture(
        file="/".join(parts),
        partition=_PARTITIONS.get(above, Partition.TRAINING),
        wnid=parts[-2],
        size=member.size,
        read=read,
    )


def _select(source: Path, wnids: Collection[str], per_class: int | None) -> Iterator[SourcePicture]:
    taken: Counter[tuple[Partition, str]] = Counter()
    wanted = frozenset(wnids)
    for picture in find_pictures(source):
        key = picture.partition, picture.wnid
        if picture.wnid in wanted and (per_class is None or taken[key] < per_class):
            taken[key] += 1
            yield picture


def _squash_all(pictures: Iterator[SourcePicture], workers: int) -> Iterator[Outcome]:
    """Squash in threads, in order; decoding and resizing release the GIL."""
    running: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for picture in pictures:
            running.append(pool.submit(_squash, picture, _read(picture)))
            if len(running) >= workers * _AHEAD:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _read(picture: SourcePicture) -> bytes | None:
    """Read the bytes in this thread, since a tar has only one position."""
    try:
        return picture.read()
    except (OSError, tarfile.TarError):
        return None


def _squash(picture: SourcePicture, data: bytes | None) -> Outcome:
    kept = KeptPicture(file=picture.file, partition=picture.partition, wnid=picture.wnid)
    if data is None:
        return replace(kept, failure=CannotOpen.code), None
    try:
        pixels = read_radiograph(data).pixels
    except UnreadableImage as error:
        return replace(kept, failure=error.code), None
    rows, columns = pixels.shape
    squashed = np.ascontiguousarray(squash(pixels))
    digest = hashlib.sha256(squashed.tobytes()).hexdigest()
    return replace(kept, rows=rows, columns=columns, pixel_sha256=digest), squashed
