"""Look pixels up in the palette of PALETTE COLOR images (PS3.3 C.7.6.3.1.5 and C.7.9)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_color_lut

from cxrview.errors import CorruptHeader, TooLarge
from cxrview.image.dicom.elements import ByteOrder, Header

MOST_ENTRIES = 1 << 16
"""Maximum number of entries of a palette: one for each value of 16 bits."""
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


def look_up_colours(path: str, stored: NDArray[Any], header: Header) -> NDArray[Any]:
    """Return the colours of stored values.

    Args:
        path: for errors only.
        stored: shape (rows, columns), integers.
        header: the data set.

    Returns:
        Shape (rows, columns, 3), unsigned integers of 8 or 16 bits.

    Raises:
        CorruptHeader: the palette is missing or broken.
        TooLarge: its segments stand for more entries than a palette has.
    """
    try:
        for colour in ("Red", "Green", "Blue", "Alpha"):
            _check_segments(path, header, f"Segmented{colour}PaletteColorLookupTableData")
        # pydicom asks for the byte order of segments.
        header.dataset.set_original_encoding(None, header.byte_order == "little")
        colours: NDArray[Any] = apply_color_lut(stored, header.dataset)
    except (MemoryError, TooLarge):
        raise
    except Exception:  # a broken palette can raise anything in pydicom
        raise CorruptHeader(
            path, "its colour palette is missing or broken", "Export it again"
        ) from None  # pydicom's message may quote the header
    return colours


def _check_segments(path: str, header: Header, keyword: str) -> None:
    """Count the entries for which the segments of one colour stand, before they are made.

    Indirect segments repeat others, so that 20 kB could stand for hundreds of millions.
    """
    data = header.dataset.get(keyword)
    if not data:
        return
    is_bytes = int(header.dataset.RedPaletteColorLookupTableDescriptor[2]) == 8
    size = 1 if is_bytes else 2
    kind = f"{'<' if header.byte_order == 'little' else '>'}u{size}"
    words = np.frombuffer(data[: len(data) // size * size], kind).tolist()
    order = header.byte_order if is_bytes else None
    if _count_entries(words, 0, len(words), order) > MOST_ENTRIES:
        raise TooLarge(
            path, f"its palette has more than {MOST_ENTRIES:,} entries", "Export it again"
        )


def _count_entries(
    words: list[int],
    at: int,
    segments: int,
    order: ByteOrder | None,
    *,
    is_repeated: bool = False,
) -> int:
    """Count the entries of so many segments, or a number above the most if there are more.

    Args:
        words: the segments, of bytes or of 16 bits.
        at: where the first one begins.
        segments: how many at most.
        order: of the bytes of a position, if the words are bytes.
        is_repeated: an indirect segment stands for them.
    """
    total = 0
    while at + 1 < len(words) and segments and total <= MOST_ENTRIES:
        kind, length = words[at], words[at + 1]
        at, segments = at + 2, segments - 1
        if kind in (_DISCRETE, _LINEAR) and length:
            total += length
            at += length if kind == _DISCRETE else 1
        elif kind == _INDIRECT and not is_repeated:
            low, high = _position(words, at, order)
            total += _count_entries(words, high << 16 | low, length, order, is_repeated=True)
            at += 4 if order else 2
        else:
            raise ValueError("a segment is empty, unknown or repeats a repetition")
    return total


def _position(words: list[int], at: int, order: ByteOrder | None) -> tuple[int, int]:
    """The lower and the upper half of a position in the segments."""
    if order is None:
        low, high = words[at : at + 2]
        return low, high
    pairs = bytes(words[at : at + 2]), bytes(words[at + 2 : at + 4])
    return int.from_bytes(pairs[0], order), int.from_bytes(pairs[1], order)
