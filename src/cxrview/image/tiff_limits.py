"""Check the numbers in a TIFF file before tifffile allocates memory by them."""

from collections.abc import Iterator
from typing import Any

from cxrview.errors import CorruptPixels, TooLarge
from cxrview.image.dicom.codestream import jpeg2000_size, jpeg_size

MAX_ENTRIES = 1_000_000
"""Values of one tag, such as the offsets of strips: a strip a row of a colour picture of 65,535
rows, stored by plane, has 196,605. tifffile makes a Python object of each."""
_MAX_PAGES = 4096
"""Directories that are checked; a file has as many as pages, and those below a page."""
_MAX_TAGS = 4096
"""Entries of a directory; tifffile refuses one with more."""
_SUB_IFDS = 330
_BYTES = (1, 2, 6, 7)
"""Types whose values stay bytes: BYTE, ASCII, SBYTE and UNDEFINED."""
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_JPEG, _JPEG_2000 = (6, 7, 34892), (33003, 33004, 33005, 34712)
"""Values of the tag Compression, 259."""
_HEAD_BYTES = 1 << 16
"""Bytes of a stream in which its size is looked for first."""


def check_entries(path: str, data: bytes) -> None:
    """Check the number of values of each tag in the directories (TIFF 6.0 page 14).

    A damaged directory is left to tifffile, which reports it.

    Args:
        path: for the error only.
        data: all bytes of the file, BigTIFF included.

    Raises:
        TooLarge: a tag has more than `MAX_ENTRIES` numbers.
    """
    for tag_type, count in _entries(data):
        if count > MAX_ENTRIES and tag_type not in _BYTES:
            raise TooLarge(path, f"a TIFF tag of it has more than {MAX_ENTRIES:,} values")


def _entries(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield type and count of each entry of the directories, those below a page included."""
    order: Any = "little" if data[:1] == b"I" else "big"
    is_big_tiff = data[2:4] in (b"+\0", b"\0+")
    width, of_count, entry = (8, 8, 20) if is_big_tiff else (4, 2, 12)

    def number(at: int, length: int) -> int:
        return int.from_bytes(data[at : at + length], order)

    waiting, seen = [number(8 if is_big_tiff else 4, width)], set[int]()
    while waiting and len(seen) < _MAX_PAGES:
        start = waiting.pop(0)
        if start in seen or not 0 < start < len(data):
            continue
        seen.add(start)
        tags = number(start, of_count)
        if tags > _MAX_TAGS:
            continue
        end = start + of_count + entry * tags
        for at in range(start + of_count, min(end, len(data) - entry), entry):
            tag, tag_type, count = number(at, 2), number(at + 2, 2), number(at + 4, width)
            yield tag_type, count
            if tag == _SUB_IFDS:
                # One tag may have as many values as there are pages, and a directory many tags.
                room = max(0, _MAX_PAGES - len(seen) - len(waiting))
                waiting += _numbers(data, at + 4 + width, tag_type, min(count, room), order)
        waiting.append(number(end, width))


def _numbers(data: bytes, at: int, tag_type: int, count: int, order: Any) -> list[int]:
    """Read the values of an entry, which stand elsewhere if they do not fit into it."""
    width, room = _SIZES.get(tag_type, 8), 8 if data[2:4] in (b"+\0", b"\0+") else 4
    if width * count > room:
        at = int.from_bytes(data[at : at + room], order)
    return [
        int.from_bytes(data[k : k + width], order) for k in range(at, at + width * count, width)
    ]


def check_streams(path: str, page: Any, data: bytes) -> None:
    """Check that JPEG and JPEG 2000 streams are not larger than the strip or tile that they fill.

    Their decoders allocate by the size in the stream.

    Args:
        path: for the error only.
        page: of tifffile.
        data: all bytes of the file.

    Raises:
        CorruptPixels: a stream has more rows or columns, or many more samples, than its tile.
    """
    compression = int(page.compression)
    if compression not in _JPEG + _JPEG_2000:
        return
    read_size = jpeg_size if compression in _JPEG else jpeg2000_size
    if page.is_tiled:
        rows, columns = page.tilelength, page.tilewidth
    else:
        rows, columns = (
            min(page.rowsperstrip or page.imagelength, page.imagelength),
            page.imagewidth,
        )
    rows, columns = (16 * -(-length // 16) for length in (rows, columns))  # of complete blocks
    for at, length in zip(page.dataoffsets, page.databytecounts, strict=False):
        # Nearly all have their size at once; others have a profile or a comment before it.
        size = read_size(data[at : at + min(length, _HEAD_BYTES)])
        if size is None and length > _HEAD_BYTES:
            size = read_size(data[at : at + length])
        if size is not None and (size.rows > rows or size.columns > columns or size.samples > 8):
            raise CorruptPixels(path, "a stream of its TIFF pixels is larger than its tile")
