"""Read the bytes of a local file or URL, within limits, and compute their digest.

Only files that begin like an image are read to their end, so that of a video in an archive of
radiographs only 4 KiB are read.
"""

import hashlib
import mmap
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cxrview.errors import CannotOpen, EmptyFile, NotAFile, TooLarge, UnreadableImage
from cxrview.image.file_format import HEAD_BYTES, FileFormat, recognise_format
from cxrview.image.limits import Limits
from cxrview.image.options import ReadOptions
from cxrview.sources.find import UnlistedFolder
from cxrview.sources.paths import file_system

Data = bytes | mmap.mmap
"""The bytes of a file, copied or mapped."""
_POPULATE = getattr(mmap, "MAP_POPULATE", 0)
"""Reads all pages of a map at once. Only Linux has it; without it a map is slower than a copy."""
_PIECE_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """The bytes of a file, and its format by its first bytes."""

    data: Data
    kind: FileFormat


def fetched_bytes(data: bytes, limits: Limits) -> Fetched:
    """Check the bytes of a file that the caller has read.

    Raises:
        UnreadableImage: the file is empty, too large, or not an image.
    """
    check_file_size("", len(data), limits)
    return Fetched(data=data, kind=recognise_format("", data[:HEAD_BYTES]))


def fetch_local(path: str, local: Path, options: ReadOptions) -> Fetched:
    """Read or map a local file.

    Args:
        path: as the user named it, for errors.
        local: where it is.
        options: limits, and whether to map DICOM files.

    Raises:
        UnreadableImage: one of its subclasses.
    """
    try:
        return _fetch_local(path, local, options)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _cannot_open(path, error) from error


def _fetch_local(path: str, local: Path, options: ReadOptions) -> Fetched:
    # Checked before it is opened: opening a pipe would wait for ever, and a tape would rewind.
    facts = local.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise _is_folder(path, local)
    if not stat.S_ISREG(facts.st_mode):
        raise NotAFile(path, "it is a pipe, a device or a socket", "Name a regular file")
    check_file_size(path, facts.st_size, options.limits)
    # O_NONBLOCK, since a pipe may have replaced the file since the check.
    handle = os.open(local, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        kind = _sniff_start(path, file)
        if options.is_mapped and kind is FileFormat.DICOM and (data := map_file(file)):
            check_file_size(path, len(data), options.limits)
            return Fetched(data=data, kind=kind)
        return _read_rest(path, file, facts.st_size, options.limits, kind)


def fetch_remote(url: str, limits: Limits) -> Fetched:
    """Read a file behind a URL to its end.

    Raises:
        UnreadableImage: one of its subclasses.
    """
    with opening_remote(url) as (files, name):
        return fetch_from(url, files, name, limits)


@contextmanager
def opening_remote(url: str) -> Iterator[tuple[Any, str]]:
    """Yield the file system behind a URL, and the path in it; its errors become `CannotOpen`."""
    try:
        with file_system(url) as (files, name):
            yield files, name
    except (UnreadableImage, MemoryError):
        raise
    except Exception as error:  # each file system of fsspec raises different classes
        raise _cannot_open(url, error) from error


def fetch_from(url: str, files: Any, name: str, limits: Limits) -> Fetched:
    """Read a file of an fsspec file system to its end; see `opening_remote`.

    Raises:
        UnreadableImage: the file is empty, too large, or not an image.
        Exception: the file system cannot open or read it.
    """
    try:
        with files.open(name, "rb") as file:
            size = getattr(file, "size", None)
            if not isinstance(size, int):
                return fetch_stream(url, file, limits)
            check_file_size(url, size, limits)
            return _read_rest(url, file, size, limits, _sniff_start(url, file))
    except ValueError:  # a web server that cannot send a part of a file
        with files.open(name, "rb", block_size=0) as file:
            return fetch_stream(url, file, limits)


def fetch_stream(path: str, file: IO[Any], limits: Limits) -> Fetched:
    """Read a stream of unknown length, such as one that is decompressed while it is read.

    Raises:
        UnreadableImage: the file is empty, too large, or not an image.
    """
    data = bytearray()
    while piece := file.read(HEAD_BYTES - len(data)):  # a web server may send less
        data += piece
    check_file_size(path, len(data), limits)
    kind = recognise_format(path, bytes(data))
    while piece := file.read(_PIECE_BYTES):
        data += piece
        check_file_size(path, len(data), limits)
    return Fetched(data=bytes(data), kind=kind)


def _read_rest(path: str, file: IO[Any], size: int, limits: Limits, kind: FileFormat) -> Fetched:
    file.seek(0)  # read in one piece, since joining two would take the memory twice
    data: bytes = file.read(size + 1)
    check_file_size(path, len(data), limits)
    return Fetched(data=data, kind=kind)


def _sniff_start(path: str, file: IO[Any]) -> FileFormat:
    head = file.read(HEAD_BYTES)
    if not head:
        raise _is_empty(path)
    return recognise_format(path, head)


def map_file(file: IO[Any]) -> mmap.mmap | None:
    """Map an open file into memory; None if its file system does not support it."""
    if not _POPULATE:
        return None
    try:
        flags = mmap.MAP_PRIVATE | _POPULATE
        return mmap.mmap(file.fileno(), 0, flags=flags, prot=mmap.PROT_READ)
    except (OSError, ValueError):
        return None


def check_file_size(path: str, size: int, limits: Limits) -> None:
    """Check that a file is not empty and not larger than the limit.

    Raises:
        EmptyFile: `size` is 0.
        TooLarge: `size` is above `Limits.max_file_bytes`.
    """
    if size == 0:
        raise _is_empty(path)
    if size > limits.max_file_bytes:
        raise TooLarge(
            path,
            f"it has more than {limits.max_file_bytes:,} bytes",
            "Raise the limit with --max-file-mib (Limits.max_file_bytes) if it is a radiograph",
        )


def _is_empty(path: str) -> EmptyFile:
    return EmptyFile(path, "the file is empty")


def _is_folder(path: str, local: Path) -> UnreadableImage:
    try:
        with os.scandir(local) as entries:
            next(entries, None)
    except OSError as error:
        return UnlistedFolder(path, error.strerror or type(error).__name__).error()
    return NotAFile(
        path,
        "it is a folder",
        "Name a file; in Python find_images finds the files of a folder, as the commands do",
    )


def _cannot_open(path: str, error: Exception) -> CannotOpen:
    """Return the error of a file that cannot be opened, without the message of a remote store."""
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    elif isinstance(error, ImportError):
        return CannotOpen(
            path, "a package that opens such URLs is not installed", _to_install(error)
        )
    else:
        reason = type(error).__name__  # the message of a remote store may hold credentials
    return CannotOpen(
        path, f"it cannot be opened ({reason})", "Check its name, links and permissions"
    )


def _to_install(error: ImportError) -> str:
    from fsspec.registry import known_implementations

    message = str(error)
    if any(message == known.get("err") for known in known_implementations.values()):
        return message  # fsspec's message, which names only packages
    return f"Install {error.name or getattr(error.__cause__, 'name', None) or 'the package'}"


def content_id(data: Data) -> str:
    """Digest all bytes of a file, to find copies under other names.

    It is the BLAKE2b-128 of the CRC-32 of every 64 KiB, which takes a fraction of the time that
    hashing every byte takes. Every byte counts. Of pairs of files that differ in a single block,
    one in four thousand million has the same digest; it is not secure against an attacker.

    Args:
        data: of any length.

    Returns:
        32 hexadecimal digits.
    """
    import imagecodecs  # here, since the process that starts the workers reads no file

    view: Any = memoryview(data)  # any buffer works, although the stubs do not allow it
    blocks = range(0, len(data), _BLOCK_BYTES)
    sums = (imagecodecs.deflate_crc32(view[at : at + _BLOCK_BYTES]) for at in blocks)
    return _digest(len(data), sums)


def file_content_id(path: str | os.PathLike[str]) -> str:
    """Digest the bytes of a local file as `content_id` does, of any format.

    The file is read in pieces, which takes little memory. It is not mapped, since a truncation
    during the reading would then end the process.

    Args:
        path: of a regular file.

    Returns:
        32 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    digest = ContentDigest()
    with Path(path).open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


class ContentDigest:
    """Digests bytes as `content_id` does, piece by piece."""

    def __init__(self) -> None:
        import imagecodecs

        self._crc32: Any = imagecodecs.deflate_crc32
        self._sums: list[int] = []
        self._size = 0

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes: a multiple of 64 KiB, except for the last ones."""
        view = memoryview(data)
        for at in range(0, len(view), _BLOCK_BYTES):
            self._sums.append(self._crc32(view[at : at + _BLOCK_BYTES]))
        self._size += len(view)

    def hexdigest(self) -> str:
        """The digest of all bytes so far: 32 hexadecimal digits."""
        return _digest(self._size, self._sums)


def _digest(size: int, sums: Iterable[int]) -> str:
    words = [size.to_bytes(8, "little"), *(one.to_bytes(4, "little") for one in sums)]
    return hashlib.blake2b(b"".join(words), digest_size=16).hexdigest()
