"""Opens a file once and tells what it is; the doors to DICOM and to pictures are behind it."""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, Any

from cxrview.errors import CannotOpen, EmptyFile, NotAFile, TooLarge, UnreadableImage
from cxrview.image.fetch import Data, content_id, map_file
from cxrview.image.image_file import ImageFile
from cxrview.image.options import Limits, ReadOptions
from cxrview.image.sniff import HEAD_BYTES, Kind, sniff
from cxrview.records import Radiograph
from cxrview.sources.find import Unlisted
from cxrview.sources.paths import file_system, local_path

_PIECE_BYTES = 1 << 20
_SMALL_BYTES = 1 << 19


def _no_key(_patient_id: str) -> str:
    return ""


def open_image(
    path: str | os.PathLike[str] | bytes,
    options: ReadOptions | None = None,
    patient_key: Callable[[str], str] = _no_key,
    *,
    side: int | None = None,
) -> ImageFile:
    """Open a radiograph and read its header; the pixels wait until they are asked for.

    Args:
        path: local path, fsspec URL (`s3://...`, `zip://x.dcm::archive.zip`), or the bytes of a
            file themselves, whose `Instance.path` is then empty.
        options: limits, and how padding is treated; the defaults where None.
        patient_key: makes a pseudonym of the Patient ID (0010,0020), which goes nowhere else.
        side: given where `squashed(side)` is all that will be asked for. Of a URL no more need
            then be read than that takes; `Instance.content_id` is empty where less was read.

    Returns:
        The open file. It holds the bytes of the file until it is dropped. Asked for more than
        was read of it, it reads the rest.

    Raises:
        UnreadableImage: one of its children. What concerns only the pixels is raised later, by
            `ImageFile.radiograph`.
    """
    options = options or ReadOptions()
    name = "" if isinstance(path, bytes) else os.fspath(path)
    taken = _take(path if isinstance(path, bytes) else name, options, side)
    if taken.kind is Kind.DICOM:
        return _open_dicom(name, taken, options, patient_key, side)
    from cxrview.image.raster import open_raster

    return open_raster(name, bytes(taken.data), content_id(taken.data), options, taken.kind)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What was read of a file."""

    data: Data
    """All its bytes, or a small file that stands for it."""
    kind: Kind
    all_bytes: Callable[[], Data] | None = None
    """Reads the rest, where `data` are not all."""


def _open_dicom(
    name: str,
    taken: _Taken,
    options: ReadOptions,
    patient_key: Callable[[str], str],
    side: int | None,
) -> ImageFile:
    from cxrview.image.dicom.file import open_dicom

    if taken.all_bytes is None:
        return open_dicom(name, taken.data, content_id(taken.data), options, patient_key)
    all_bytes = taken.all_bytes

    @cache
    def whole() -> ImageFile:
        data = all_bytes()
        return open_dicom(name, data, content_id(data), options, patient_key)

    file = open_dicom(name, taken.data, "", options, patient_key, whole)
    shrink = file.shrink
    return replace(
        file, shrink=lambda wanted: shrink(wanted) if shrink and wanted == side else None
    )


def _take(path: str | bytes, options: ReadOptions, side: int | None) -> _Taken:
    if isinstance(path, bytes):
        _check_size("", len(path), options.limits)
        return _Taken(data=path, kind=sniff("", path[:HEAD_BYTES]))
    try:
        if local := local_path(path):
            return _take_local(path, Path(local), options)
        return _take_remote(path, options, None if options.exact else side)
    except (UnreadableImage, MemoryError):
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _cannot_open(path, error) from error


def _take_local(path: str, local: Path, options: ReadOptions) -> _Taken:
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
            return _Taken(data=data, kind=kind)
        return _read(path, file, facts.st_size, options.limits, kind)


def _take_remote(path: str, options: ReadOptions, side: int | None) -> _Taken:
    try:
        with file_system(path) as (files, name):
            if side is not None and (taken := _take_in_pieces(path, files, name, options, side)):
                return taken
            return _take_whole(path, files, name, options.limits)
    except (UnreadableImage, MemoryError):
        raise
    except Exception as error:  # every file system of fsspec has errors of its own
        raise _cannot_open(path, error) from error


def _take_whole(path: str, files: Any, name: str, limits: Limits) -> _Taken:
    try:
        with files.open(name, "rb") as file:
            size = getattr(file, "size", None)
            if not isinstance(size, int):
                return _read_unsized(path, file, limits)
            _check_size(path, size, limits)
            return _read(path, file, size, limits)
    except ValueError:  # a web server that gives a file only from its beginning to its end
        with files.open(name, "rb", block_size=0) as file:
            return _read_unsized(path, file, limits)


def _take_in_pieces(
    path: str, files: Any, name: str, options: ReadOptions, side: int
) -> _Taken | None:
    """Read the head of a file first, and then what a square of `side` takes.

    Returns:
        None where the store does not give files in pieces.
    """
    try:
        with _open_in_pieces(files, name) as file:
            size = getattr(file, "size", None)
            if not isinstance(size, int):
                return _read_unsized(path, file, options.limits)
            _check_size(path, size, options.limits)
            if size < _SMALL_BYTES:  # to ask twice would take longer than to read it
                return _read_at_once(path, file, size, options.limits)
            return _read_pieces(path, file, size, options, side)
    except (UnreadableImage, MemoryError, FileNotFoundError, PermissionError):
        raise
    except Exception:  # every file system of fsspec has errors of its own
        return None


def _open_in_pieces(files: Any, name: str) -> Any:
    """Open a file so that hardly more is fetched than is read, whatever the store does ahead."""
    return files.open(name, "rb", block_size=HEAD_BYTES)


def _read_at_once(path: str, file: IO[Any], size: int, limits: Limits) -> _Taken:
    data = file.read(size + 1)
    _check_size(path, len(data), limits)
    return _Taken(data=data, kind=sniff(path, data[:HEAD_BYTES]))


def _read_pieces(path: str, file: IO[Any], size: int, options: ReadOptions, side: int) -> _Taken:
    from cxrview.image.dicom import partial as part

    start = part.GrowingPrefix(file, size)
    start.reach(part.HEAD_BYTES)
    kind = sniff(path, start.data[:HEAD_BYTES])
    small = part.reduced_copy(path, start, options, side) if kind is Kind.DICOM else None
    if small is None:
        data = start.all()
        _check_size(path, len(data), options.limits)
        return _Taken(data=data, kind=kind)
    read = start.data
    return _Taken(data=small, kind=kind, all_bytes=lambda: _with_rest(path, read, size, options))


def _with_rest(path: str, read: bytes, size: int, options: ReadOptions) -> Data:
    """Read what is left behind `read`; all anew where the file has changed meanwhile."""
    # Whatever the store says against it, it will say again when asked for all.
    with (
        suppress(Exception),
        file_system(path) as (files, name),
        _open_in_pieces(files, name) as file,
    ):
        if file.size == size:
            file.seek(len(read))
            rest: bytes = file.read(size - len(read))
            if len(read) + len(rest) == size:
                return read + rest
    return _take_remote(path, options, None).data


def _read(path: str, file: IO[Any], size: int, limits: Limits, kind: Kind | None = None) -> _Taken:
    """Read the rest only of what begins like an image, so that a film costs 4 KiB."""
    kind = kind or _sniff_start(path, file)
    file.seek(0)  # in one piece: joining two would take the memory twice
    data: bytes = file.read(size + 1)
    _check_size(path, len(data), limits)
    return _Taken(data=data, kind=kind)


def _read_unsized(path: str, file: IO[Any], limits: Limits) -> _Taken:
    """Read a stream whose length nobody told, such as one that is being unpacked."""
    data = bytearray()
    while piece := file.read(HEAD_BYTES - len(data)):  # one from the web gives what has come
        data += piece
    _check_size(path, len(data), limits)
    kind = sniff(path, bytes(data))
    while piece := file.read(_PIECE_BYTES):
        data += piece
        _check_size(path, len(data), limits)
    return _Taken(data=bytes(data), kind=kind)


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
            "Raise it with --max-file-mib (Limits.max_file_bytes) if it is a radiograph",
        )


def _is_empty(path: str) -> EmptyFile:
    return EmptyFile(path, "it has no byte in it", "Copy or export it again")


def _is_folder(path: str, local: Path) -> UnreadableImage:
    try:
        with os.scandir(local) as entries:
            next(entries, None)
    except OSError as error:
        return Unlisted(path, error.strerror or type(error).__name__).error()
    return NotAFile(
        path,
        "it is a folder",
        "Name a file; in Python find_images finds the files of a folder, as the commands do",
    )


def _cannot_open(path: str, error: Exception) -> CannotOpen:
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    elif isinstance(error, ImportError):
        return CannotOpen(path, "what opens such URLs is not installed", _to_install(error))
    else:
        reason = type(error).__name__  # a message of a remote store may hold credentials
    return CannotOpen(
        path, f"it cannot be opened ({reason})", "Check the name, the link and the permission"
    )


def _to_install(error: ImportError) -> str:
    from fsspec.registry import known_implementations

    said = str(error)
    if any(said == known.get("err") for known in known_implementations.values()):
        return said  # fsspec's own words, which name the packages and nothing of ours
    return f"Install {error.name or getattr(error.__cause__, 'name', None) or 'it'}"
