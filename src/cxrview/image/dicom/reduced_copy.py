"""Make a small DICOM file that gives the same reduced picture as a complete remote file.

It has the same elements, and a JPEG 2000 stream that ends after the lower resolutions. If a file is
unusual, or may need its full resolution by its header, no copy is made: the complete file is read
then, and errors are reported from there.
"""

import warnings as python_warnings
from typing import IO, Any

from cxrview.errors import UnreadableImage
from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.fast import linear_window
from cxrview.image.dicom.frame import Frame
from cxrview.image.dicom.jpeg2000_reduced import count_halvings
from cxrview.image.dicom.jpeg2000_truncate import NeedsWholeFile, cut_stream, read_main
from cxrview.image.dicom.parse import UNDEFINED_LENGTH, Parsed, parse
from cxrview.image.dicom.pixel_module import PixelModule, read_pixel_module
from cxrview.image.limits import Limits, check_pixels
from cxrview.image.options import ReadOptions

HEAD_BYTES = 1 << 16
"""Size of the first read: most headers end within 10 KiB, and the stream's main header soon
after."""
_LONG_HEAD_BYTES = (1 << 18, 1 << 20)
"""Size of the next read, for a longer header, such as one with overlays."""
_MIN_SAVED = 1 << 17
"""Minimum number of bytes to save, since a file that is read in part has no digest."""
_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"
_RPCL_ONLY = "1.2.840.10008.1.2.4.202"
"""HTJ2K whose TLM marks "the resolution breakpoints" (PS3.5 section 10.18)."""


class GrowingPrefix:
    """The first bytes of a remote file, read as they are needed.

    Args:
        file: open, at its beginning.
        size: bytes of it.
    """

    def __init__(self, file: IO[Any], size: int) -> None:
        self.size = size
        self.data = b""
        self._file = file

    def read_to(self, end: int) -> None:
        """Read up to `end`.

        Raises:
            NeedsWholeFile: that would be nearly the complete file.
        """
        if end > self.size - _MIN_SAVED:
            raise NeedsWholeFile
        if end > len(self.data):
            # At least HEAD_BYTES more, since a request takes longer than the bytes.
            end = min(max(end, len(self.data) + HEAD_BYTES), self.size - _MIN_SAVED)
            self._append(end)

    def read_range(self, start: int, end: int) -> bytes:
        """Read only these bytes, further on in the file."""
        self._file.seek(start)
        found: bytes = self._file.read(end - start)
        self._file.seek(len(self.data))
        return found

    def read_all(self) -> bytes:
        """Read the rest, and one byte more than the size if the file has grown."""
        self._append(self.size + 1)
        return self.data

    def _append(self, end: int) -> None:
        self.data += self._file.read(end - len(self.data))


class _Fragment:
    """A codestream within a remote file."""

    def __init__(self, prefix: GrowingPrefix, start: int, length: int) -> None:
        self.length = length
        self._prefix, self._start = prefix, start

    def take(self, start: int, stop: int) -> bytes:
        if stop > self.length:
            raise NeedsWholeFile
        self._prefix.read_to(self._start + stop)
        found = self._prefix.data[self._start + start : self._start + stop]
        if len(found) < stop - start:
            raise NeedsWholeFile
        return found

    def tail(self, count: int) -> bytes:
        end = self._start + self.length
        return self._prefix.read_range(end - count, end)


def reduced_copy(path: str, prefix: GrowingPrefix, options: ReadOptions, side: int) -> bytes | None:
    """Make a small file that gives the same square as the complete file.

    Args:
        path: for errors only, which are dropped.
        prefix: of a DICOM file.
        options: limits.
        side: rows and columns of the square to come.

    Returns:
        None if the complete file must be read.
    """
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # they quote header values
        try:
            return _reduced_copy(path, prefix, options, side)
        except (NeedsWholeFile, UnreadableImage, RecursionError):
            return None


def _reduced_copy(path: str, prefix: GrowingPrefix, options: ReadOptions, side: int) -> bytes:
    parsed = _parse_head(path, prefix, options.limits)
    module = _plain_module(path, parsed, options.limits)
    start = len(prefix.data) - len(parsed.pixels.value) if parsed.pixels else 0
    stream = _first_fragment(prefix, start)
    main = read_main(stream)
    frame = Frame(path=path, data=main.header, module=module, limits=options.limits)
    halvings = count_halvings(parsed.transfer_syntax, frame, side)
    if halvings < 1:
        raise NeedsWholeFile
    short = cut_stream(stream, main, halvings, is_divided=parsed.transfer_syntax == _RPCL_ONLY)
    short += b"\0" * (len(short) % 2)
    table, length = _ITEM + b"\0\0\0\0", len(short).to_bytes(4, "little")
    return prefix.data[:start] + table + _ITEM + length + short + _END


def _parse_head(path: str, prefix: GrowingPrefix, limits: Limits) -> Parsed:
    """Read the elements up to pixels of undefined length."""
    for length in (HEAD_BYTES, *_LONG_HEAD_BYTES):
        prefix.read_to(length)
        parsed = parse(path, prefix.data, limits)
        if parsed.pixels is not None and not parsed.is_cut:
            if parsed.pixels.length == UNDEFINED_LENGTH and not parsed.warnings:
                return parsed
            break
    raise NeedsWholeFile


def _plain_module(path: str, parsed: Parsed, limits: Limits) -> PixelModule:
    """Read the Image Pixel module; raise if the header may require full resolution."""
    assert parsed.pixels is not None
    header = Header(parsed.dataset, is_little_endian=parsed.is_little_endian)
    module = read_pixel_module(path, header, parsed.pixels.tag)
    check_pixels(path, module.decoded_bytes, limits)
    if module.frames != 1 or linear_window(header, module) is None:
        raise NeedsWholeFile
    return module


def _first_fragment(prefix: GrowingPrefix, at: int) -> _Fragment:
    """Find the fragment after the offset table (PS3.5 annex A.4), which must be complete."""
    for _ in range(2):
        prefix.read_to(at + 8)
        head = prefix.data[at : at + 8]
        start, length = at + 8, int.from_bytes(head[4:], "little")
        if head[:4] != _ITEM or start + length + len(_END) > prefix.size:
            raise NeedsWholeFile
        at = start + length
    return _Fragment(prefix, start, length)
