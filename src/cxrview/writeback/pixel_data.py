"""The bytes of a file from Pixel Data on: checked, never decoded."""

import struct

from cxrview.errors import CorruptHeader
from cxrview.writeback.refusals import DigitallySigned

_SIGNATURES = (b"\xfa\xff\xfa\xff", b"\xff\xfa\xff\xfa")
"""Digital Signatures Sequence (FFFA,FFFA), little and big endian."""
_PIXEL_DATA = ((0x7FE0, 0x0010), (0x7FE0, 0x0008), (0x7FE0, 0x0009))
"""Pixel Data, Float Pixel Data, Double Float Pixel Data."""
_LONG_VRS = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN"}
_UNDEFINED = 0xFFFFFFFF


def check_pixel_data(
    path: str, data: bytes, start: int, *, is_implicit: bool, is_little: bool
) -> None:
    """Refuse a file without Pixel Data where its header ends, and one that is signed.

    Args:
        path: of the file, for the error.
        data: the file.
        start: where its header ends.
        is_implicit: whether elements come without their VR.
        is_little: whether they are little endian.

    Raises:
        UnreadableImage: it is such a file.
    """
    order = "<" if is_little else ">"
    tag = struct.unpack_from(f"{order}HH", data, start) if len(data) >= start + 12 else ()
    if tag not in _PIXEL_DATA:
        raise CorruptHeader(
            path, "its header is malformed before Pixel Data", "Repair or export it again"
        )
    has_long_length = not is_implicit and data[start + 4 : start + 6] in _LONG_VRS
    (length,) = struct.unpack_from(f"{order}I", data, start + (8 if has_long_length else 4))
    begin = start + (12 if has_long_length else 8)
    end = begin + length if length != _UNDEFINED else _end_of_fragments(data, begin)
    if any(data.find(tag, end) >= 0 for tag in _SIGNATURES):
        raise DigitallySigned(
            path, "it is signed digitally, and a change would break the signature", "Leave it as is"
        )


def _end_of_fragments(data: bytes, at: int) -> int:
    """Where the sequence of fragments ends (PS3.5 A.4); the end of the file where it is open."""
    while at + 8 <= len(data):
        group, element, length = struct.unpack_from("<HHI", data, at)
        at += 8
        if (group, element) != (0xFFFE, 0xE000):
            return at
        at += length
    return len(data)
