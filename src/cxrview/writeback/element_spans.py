"""Where each element of a data set lies in its bytes, so that it can be copied as it is.

Source: PS3.5 section 7.1 (elements), 7.5 (sequences), A.4 (fragments), 6.2.2 note 2 (UN).
"""

from struct import Struct

PIXEL_TAGS = frozenset([0x7FE00008, 0x7FE00009, 0x7FE00010])
"""Float Pixel Data, Double Float Pixel Data, Pixel Data."""
UNDEFINED = 0xFFFFFFFF
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""Value representations whose length has four bytes (PS3.5 section 7.1.2)."""
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_DEEPEST = 64
"""Sequences within sequences."""


class Malformed(Exception):
    """An element that cannot be read as the data set's encoding prescribes."""


class Incomplete(Exception):
    """The bytes end before Pixel Data does begin."""


class ElementReader:
    """Reads the heads of elements.

    Args:
        data: bytes that hold the data set.
        is_implicit: elements have no value representation.
        is_little: numbers are little endian.
    """

    def __init__(self, data: bytes, *, is_implicit: bool, is_little: bool) -> None:
        order = "<" if is_little else ">"
        self._data, self._is_implicit = data, is_implicit
        self._head = Struct(f"{order}HHI").unpack_from
        self._short, self._long = Struct(f"{order}H").unpack_from, Struct(f"{order}I").unpack_from

    def spans(self, at: int) -> tuple[dict[int, tuple[int, int]], int]:
        """Find the elements before Pixel Data.

        Args:
            at: where the data set begins.

        Returns:
            Start and end of each element, by tag; and where Pixel Data begins.

        Raises:
            Malformed: an element cannot be read, or has the tag of an earlier one.
            Incomplete: more bytes are needed.
        """
        found: dict[int, tuple[int, int]] = {}
        while True:
            tag, begin, length = self.head(at)
            if tag in PIXEL_TAGS:
                return found, at
            if tag in found or tag >> 16 in (0, 2, 0xFFFE):
                raise Malformed
            end = self._end(begin, length, self._data[at + 4 : at + 6], 0)
            found[tag] = (at, end)
            at = end

    def head(self, at: int, is_implicit: bool | None = None) -> tuple[int, int, int]:
        """Read the head of one element.

        Args:
            at: where it begins.
            is_implicit: of this element; that of the data set where None.

        Returns:
            Its tag, where its value begins, and the length of that, which may be `UNDEFINED`.

        Raises:
            Malformed: the value representation is not one of PS3.5.
            Incomplete: more bytes are needed.
        """
        data = self._data
        if at + 8 > len(data):
            raise Incomplete
        group, element, length = self._head(data, at)
        tag = group << 16 | element
        if group == 0xFFFE or (self._is_implicit if is_implicit is None else is_implicit):
            return tag, at + 8, length
        vr = data[at + 4 : at + 6]
        if vr in SHORT_VRS:
            return tag, at + 8, self._short(data, at + 6)[0]
        if vr not in LONG_VRS:
            raise Malformed
        if at + 12 > len(data):
            raise Incomplete
        return tag, at + 12, self._long(data, at + 8)[0]

    def _end(self, begin: int, length: int, vr: bytes, depth: int) -> int:
        """Where the value ends that begins at `begin`."""
        if length == UNDEFINED:
            # An element of unknown representation holds implicit ones (PS3.5 section 6.2.2).
            return self._end_of_items(begin, self._is_implicit or vr == b"UN", depth + 1)
        if begin + length > len(self._data):
            raise Incomplete
        return begin + length

    def _end_of_items(self, at: int, is_implicit: bool, depth: int) -> int:
        """Skip items, or fragments, up to the delimiter behind them."""
        if depth > _DEEPEST:
            raise Malformed
        while True:
            tag, begin, length = self.head(at)
            if tag == _SEQUENCE_END:
                return begin
            if tag != _ITEM:
                raise Malformed
            if length == UNDEFINED:
                at = self._end_of_item(begin, is_implicit, depth)
            else:
                at = begin + length

    def _end_of_item(self, at: int, is_implicit: bool, depth: int) -> int:
        while True:
            tag, begin, length = self.head(at, is_implicit)
            if tag == _ITEM_END:
                return begin
            if tag >> 16 == 0xFFFE:
                raise Malformed
            if length != UNDEFINED:
                at = begin + length
                continue
            is_unknown = not is_implicit and self._data[at + 4 : at + 6] == b"UN"
            at = self._end_of_items(begin, is_implicit or is_unknown, depth + 1)
