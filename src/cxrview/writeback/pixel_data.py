"""The bytes of a file from Pixel Data on: checked, copied, compared; never decoded."""

import io
import os
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from pydicom.dataset import FileDataset

from cxrview.errors import CorruptHeader
from cxrview.writeback.refusals import DigitallySigned

_SIGNATURES = (b"\xfa\xff\xfa\xff", b"\xff\xfa\xff\xfa")
"""Digital Signatures Sequence (FFFA,FFFA), little and big endian."""
_PIXEL_DATA = ((0x7FE0, 0x0010), (0x7FE0, 0x0008), (0x7FE0, 0x0009))
"""Pixel Data, Float Pixel Data, Double Float Pixel Data."""
_LONG_VRS = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN"}
_UNDEFINED = 0xFFFFFFFF
_COPY_BYTES = 1 << 20


def check_pixel_data(path: str, dataset: FileDataset, start: int) -> None:
    """Refuse a file without Pixel Data where its header ends, and one that is signed.

    Args:
        path: of the file.
        dataset: its header, as pydicom read it.
        start: where in the file Pixel Data begins.

    Raises:
        UnreadableImage: it is such a file.
    """
    is_implicit, is_little = dataset.original_encoding
    with Path(path).open("rb") as file:
        file.seek(start)
        first = file.read(12)
        order = "<" if is_little else ">"
        tag = struct.unpack(f"{order}HH", first[:4]) if len(first) == 12 else ()
        if tag not in _PIXEL_DATA:
            raise CorruptHeader(
                path, "its header is malformed before Pixel Data", "Repair or export it again"
            )
        has_long_length = not is_implicit and first[4:6] in _LONG_VRS
        (length,) = struct.unpack(f"{order}I", first[8:12] if has_long_length else first[4:8])
        begin = start + (12 if has_long_length else 8)
        file.seek(begin + length if length != _UNDEFINED else _end_of_fragments(file, begin))
        rest = file.read()
    if any(tag in rest for tag in _SIGNATURES):
        raise DigitallySigned(
            path, "it is signed digitally, and a change would break the signature", "Leave it as is"
        )


def _end_of_fragments(file: io.BufferedReader, at: int) -> int:
    """Where the sequence of fragments ends (PS3.5 A.4); the end of the file where it is open."""
    size = os.fstat(file.fileno()).st_size
    while at + 8 <= size:
        file.seek(at)
        group, element, length = struct.unpack("<HHI", file.read(8))
        at += 8
        if (group, element) != (0xFFFE, 0xE000):
            return at
        at += length
    return size


def append_from(path: str, start: int, out: io.BufferedWriter) -> None:
    """Copy a file from an offset to its end."""
    with Path(path).open("rb") as file:
        file.seek(start)
        shutil.copyfileobj(file, out, _COPY_BYTES)


def have_same_end(source: str, source_start: int, target: Path, target_start: int) -> bool:
    """Compare two files from two offsets on, byte for byte."""
    with Path(source).open("rb") as a, target.open("rb") as b:
        a.seek(source_start)
        b.seek(target_start)
        return all(one == other for one, other in _blocks(a, b))


def _blocks(a: io.BufferedReader, b: io.BufferedReader) -> Iterator[tuple[bytes, bytes]]:
    while True:
        pair = a.read(_COPY_BYTES), b.read(_COPY_BYTES)
        yield pair
        if not (pair[0] and pair[1]):
            return
