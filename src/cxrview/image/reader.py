"""Opens a file once and tells what it is; the doors to DICOM and to pictures are behind it."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from cxrview.errors import CannotOpen, EmptyFile, NotAFile, TooLarge, UnreadableImage
from cxrview.image.content_id import content_id
from cxrview.image.limits import Limits, ReadOptions
from cxrview.image.mapped import Data, map_file
from cxrview.image.opened import ImageFile
from cxrview.image.sniff import HEAD_BYTES, Kind, sniff
from cxrview.records import Radiograph

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")
_PIECE_BYTES = 1 << 20


def local_path(name: str) -> str:
    """Return the local path that a name stands for; empty where fsspec must open it.

    `file:///x` is `/x`: fsspec would wait for ever at a pipe.
    """
    if name.startswith("file://") and "::" not in name:
        return name.removeprefix("file://")
    return "" if _URL.match(name) and not os.path.lexists(name) else name


def _no_key(_patient_id: str) -> str:
    return ""


def open_image(
    path: str | os.PathLike[str] | bytes,
    options: ReadOptions | None = None,
    patient_key: Callable[[str], str] = _no_key,
) -> ImageFile:
    """Open a radiograph and read its header; the pixels wait until they are asked for.

    Args:
        path: local path, fsspec URL (`s3://...`, `zip://x.dcm::archive.zip`), or the bytes of a
            file themselves, whose `Instance.path` is then empty.
        options: limits, and how padding is treated; the defaults where None.
        patient_key: makes a pseudonym of the Patient ID (0010,0020), which goes nowhere else.

    Returns:
        The open file. It holds the bytes of the file until it is dropped.

    Raises:
        UnreadableImage: one of its children. What concerns only the pixels is raised later, by
            `ImageFile.radiograph`.
    """
    options = options or ReadOptions()
    name = "" if isinstance(path, bytes) else os.fspath(path)
    data, kind = _take(path if isinstance(path, bytes) else name, options)
    digest = content_id(data)
    if kind is Kind.DICOM:
        from cxrview.image.dicom import open_dicom

        return open_dicom(name, data, digest, options, patient_key)
    from cxrview.image.raster import open_raster

    return open_raster(name, bytes(data), digest, options, kind)


def read_radiograph(
    path: str | os.PathLike[str] | bytes,
    options: ReadOptions | None = None,
    patient_key: Callable[[str], str] = _no_key,
) -> Radiograph:
    """Open a radiograph and decode its pixels: `open_image(...).radiograph()`.

    Raises:
        UnreadableImage: one of its children, naming why there are no pixels.
    """
    return open_image(path, options, patient_key).radiograph()


def _take(path: str | bytes, options: ReadOptions) -> tuple[Data, Kind]:
    if isinstance(path, bytes):
        _check_size("", len(path), options.limits)
        return path, sniff("", path[:HEAD_BYTES])
    try:
        if local := local_path(path):
            return _take_local(path, Path(local), options)
        return _take_remote(path, options.limits)
    except (UnreadableImage, MemoryError):
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _cannot_open(path, error) from error


def _take_local(path: str, local: Path, options: ReadOptions) -> tuple[Data, Kind]:
    # Looked at before it is opened: opening a pipe waits for ever, a tape would rewind.
    facts = local.stat()
    if stat.S_ISDIR(facts.st_mode):
        raise _is_folder(path, local)
    if not stat.S_ISREG(facts.st_mode):
        raise NotAFile(path, "it is a pipe, a device or a socket", "Name a regular file")
    _check_size(path, facts.st_size, options.limits)
    # Should a pipe have taken its place meanwhile, then this does not wait either.
    handle = os.open(local, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        kind = _sniff_start(path, file)
        if options.is_mapped and kind is Kind.DICOM and (data := map_file(file)):
            _check_size(path, len(data), options.limits)
            return data, kind
        return _read_all(path, file, facts.st_size, options.limits), kind


def _take_remote(path: str, limits: Limits) -> tuple[bytes, Kind]:
    import fsspec

    try:
        with fsspec.open(path, "rb") as file:
            size = getattr(file, "size", None)
            if not isinstance(size, int):
                return _read_unsized(path, file, limits)
            _check_size(path, size, limits)
            return _read(path, file, size, limits)
    except (UnreadableImage, MemoryError):
        raise
    except Exception as error:  # every file system of fsspec has errors of its own
        raise _cannot_open(path, error) from error


def _read(path: str, file: IO[Any], size: int, limits: Limits) -> tuple[bytes, Kind]:
    """Read the rest only of what begins like an image, so that a film costs 4 KiB."""
    kind = _sniff_start(path, file)
    return _read_all(path, file, size, limits), kind


def _read_all(path: str, file: IO[Any], size: int, limits: Limits) -> bytes:
    file.seek(0)  # in one piece: joining two would take the memory twice
    data: bytes = file.read(size + 1)
    _check_size(path, len(data), limits)
    return data


def _read_unsized(path: str, file: IO[Any], limits: Limits) -> tuple[bytes, Kind]:
    """Read a stream whose length nobody told, such as one that is being unpacked."""
    data = bytearray(file.read(HEAD_BYTES))
    _check_size(path, len(data), limits)
    kind = sniff(path, bytes(data))
    while piece := file.read(_PIECE_BYTES):
        data += piece
        _check_size(path, len(data), limits)
    return bytes(data), kind


def _sniff_start(path: str, file: IO[Any]) -> Kind:
    head = file.read(HEAD_BYTES)
    if not head:
        raise _is_empty(path)
    return sniff(path, head)


def _check_size(path: str, size: int, limits: Limits) -> None:
    if size == 0:
        raise _is_empty(path)
    if size > limits.max_file_bytes:
        raise TooLarge(
            path,
            f"it has more than {limits.max_file_bytes:,} bytes",
            "Raise the limit of the file size if it really is a radiograph",
        )


def _is_empty(path: str) -> EmptyFile:
    return EmptyFile(path, "it has no byte in it", "Copy or export it again")


def _is_folder(path: str, local: Path) -> UnreadableImage:
    if os.access(local, os.R_OK | os.X_OK):
        return NotAFile(path, "it is a folder", "Name a file")
    return CannotOpen(path, "this folder may not be listed", "Ask for permission to read it")


def _cannot_open(path: str, error: Exception) -> CannotOpen:
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    elif isinstance(error, ImportError):
        return CannotOpen(
            path, "what opens such URLs is not installed", f"Install {error.name or 'it'}"
        )
    else:
        reason = type(error).__name__  # a message of a remote store may hold credentials
    return CannotOpen(
        path, f"it cannot be opened ({reason})", "Check the name, the link and the permission"
    )
