"""Read only the byte ranges of a remote DICOM file that a reduced picture needs."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cxrview.errors import UnreadableImage
from cxrview.image.dicom.file import DicomFile, open_dicom
from cxrview.image.dicom.reduced_copy import HEAD_BYTES, GrowingPrefix, reduced_copy
from cxrview.image.fetch import (
    Data,
    Fetched,
    check_file_size,
    content_id,
    fetch_from,
    fetch_remote,
    fetch_stream,
    opening_remote,
)
from cxrview.image.file_format import HEAD_BYTES as SNIFF_BYTES
from cxrview.image.file_format import FileFormat, recognise_format
from cxrview.image.image_file import ImageFile
from cxrview.image.limits import Limits
from cxrview.image.options import ReadOptions
from cxrview.image.resize import SIDE
from cxrview.records.classification import Radiograph
from cxrview.sources.paths import file_system

_SMALL_BYTES = 1 << 19
"""Files below this size are read in one request, since a second one would take longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedRanges:
    """The part of a remote file that a square of one size needs."""

    url: str
    size: int
    """Size of the complete file in bytes."""
    prefix: bytes
    """Its first bytes."""
    reduced: bytes
    """A small DICOM file with the same elements and the lower resolutions."""
    side: int
    """Rows and columns of the largest square that `reduced` is enough for."""


class PartialDicomFile(ImageFile):
    """An open remote DICOM file that was read in part; the rest is read when it is needed."""

    def __init__(
        self, ranges: FetchedRanges, options: ReadOptions, patient_key: Callable[[str], str]
    ) -> None:
        self._reduced = open_dicom(ranges.url, ranges.reduced, "", options, patient_key)
        super().__init__(self._reduced.instance, self._reduced.warnings)
        self._ranges, self._options, self._patient_key = ranges, options, patient_key
        self._complete: DicomFile | None = None

    def decode(self) -> Radiograph:
        """Read the rest of the file and decode the first frame in full."""
        return self._read_rest().decode()

    def decode_square(self, side: int = SIDE) -> Radiograph:
        """Decode a square of what was read, or else of the complete file."""
        if side == self._ranges.side and (square := self._reduced.decode_reduced_square(side)):
            return square
        return self._read_rest().decode_square(side)

    def _read_rest(self) -> DicomFile:
        if self._complete is None:
            data = _fetch_rest(self._ranges, self._options.limits)
            self._complete = open_dicom(
                self._ranges.url, data, content_id(data), self._options, self._patient_key
            )
        return self._complete


def fetch_ranges(url: str, options: ReadOptions, side: int) -> Fetched | FetchedRanges:
    """Read the head of a remote file first, and then what a square of `side` takes.

    Returns:
        All of the file where the store cannot send ranges, or where nothing would be saved.

    Raises:
        UnreadableImage: one of its subclasses.
    """
    with opening_remote(url) as (files, name):
        fetched = _fetch_ranges(url, files, name, options, side)
        return fetched or fetch_from(url, files, name, options.limits)


def _fetch_ranges(
    url: str, files: Any, name: str, options: ReadOptions, side: int
) -> Fetched | FetchedRanges | None:
    """Read ranges; None if the store does not send any."""
    try:
        with _open_ranged(files, name) as file:
            size = getattr(file, "size", None)
            if not isinstance(size, int):
                return fetch_stream(url, file, options.limits)
            check_file_size(url, size, options.limits)
            return _read_ranges(url, GrowingPrefix(file, size), options, side)
    except (UnreadableImage, MemoryError, FileNotFoundError, PermissionError):
        raise
    except Exception:  # each file system of fsspec raises different classes
        return None


def _read_ranges(
    url: str, prefix: GrowingPrefix, options: ReadOptions, side: int
) -> Fetched | FetchedRanges:
    reduced = None
    if prefix.size >= _SMALL_BYTES:
        prefix.read_to(HEAD_BYTES)
        if recognise_format(url, prefix.data[:SNIFF_BYTES]) is FileFormat.DICOM:
            reduced = reduced_copy(url, prefix, options, side)
    if reduced is None:
        data = prefix.read_all()
        check_file_size(url, len(data), options.limits)
        return Fetched(data=data, kind=recognise_format(url, data[:SNIFF_BYTES]))
    return FetchedRanges(url=url, size=prefix.size, prefix=prefix.data, reduced=reduced, side=side)


def _open_ranged(files: Any, name: str) -> Any:
    """Open a file so that little more is fetched than is read, whatever the store reads ahead."""
    return files.open(name, "rb", block_size=SNIFF_BYTES)


def _fetch_rest(ranges: FetchedRanges, limits: Limits) -> Data:
    """Read what comes after `prefix`; the complete file again where its size has changed."""
    # An error of the store is reported by `fetch_remote`.
    with (
        suppress(Exception),
        file_system(ranges.url) as (files, name),
        _open_ranged(files, name) as file,
    ):
        if file.size == ranges.size:
            file.seek(len(ranges.prefix))
            rest: bytes = file.read(ranges.size - len(ranges.prefix))
            if len(ranges.prefix) + len(rest) == ranges.size:
                return ranges.prefix + rest
    return fetch_remote(ranges.url, limits).data
