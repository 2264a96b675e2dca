"""Count the elements in sequences of undefined length, before pydicom makes objects of them."""

from typing import Any

from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from cxrview.image.dicom.tolerant_parse import MAX_ELEMENTS, too_many_elements
from cxrview.image.fetch import Data
from cxrview.image.file_format import is_vr

_UNDEFINED = 0xFFFFFFFF
_LEAST_BYTES = 8
"""Length of an empty element or item."""


class NestedCounter:
    """Counts the elements and items in all sequences of undefined length of one file.

    pydicom converts such a sequence to data sets at once. Each takes a kilobyte, and eight bytes in
    the file. The count needs no memory, and the walk takes a microsecond for each element. A
    sequence of defined length is skipped, since pydicom converts it on access only.

    Args:
        path: for the error only.
        data: all bytes.
        is_implicit: elements of the data set have no VR.
        is_little_endian: byte order of all numbers.
    """

    def __init__(self, path: str, data: Data, *, is_implicit: bool, is_little_endian: bool) -> None:
        self._path, self._data, self._is_implicit = path, data, is_implicit
        order: Any = "little" if is_little_endian else "big"
        self._order = order
        self._item, self._item_end, self._sequence_end = (
            b"".join(half.to_bytes(2, order) for half in (0xFFFE, element))
            for element in (0xE000, 0xE00D, 0xE0DD)
        )
        self._left = MAX_ELEMENTS

    def count(self, at: int, vr: str | None) -> None:
        """Count what a sequence contains.

        Args:
            at: start of its value.
            vr: of the sequence; None in implicit VR. Nothing is counted for encapsulated data.

        Raises:
            TooLarge: there are more than `MAX_ELEMENTS` in all sequences so far.
        """
        if vr in ("OB", "OW") or len(self._data) - at <= _LEAST_BYTES * self._left:
            return
        depth = 1
        while depth:
            tag = self._data[at : at + 4]
            if len(tag) < 4 or not any(tag):  # the end, or no element
                return
            self._left -= 1
            if self._left < 0:
                raise too_many_elements(self._path)
            if tag == self._sequence_end:
                depth -= 1
                at += 8
            elif tag in (self._item, self._item_end):  # an item is entered, whatever its length
                at += 8
            else:
                start, length, is_encapsulated = self._header(at)
                if length != _UNDEFINED:
                    at = start + length
                elif is_encapsulated:
                    end = self._data.find(self._sequence_end, start)
                    if end < 0:
                        return
                    at = end + 8
                else:
                    depth, at = depth + 1, start

    def _header(self, at: int) -> tuple[int, int, bool]:
        """Return start and length of an element's value, and whether it is of OB or OW."""
        letters = self._data[at + 4 : at + 6]
        if self._is_implicit or not is_vr(letters):
            return at + 8, self._number(at + 4, 4), False
        vr = letters.decode("ascii")
        if vr in EXPLICIT_VR_LENGTH_32:
            return at + 12, self._number(at + 8, 4), vr in ("OB", "OW")
        return at + 8, self._number(at + 6, 2), False

    def _number(self, at: int, width: int) -> int:
        return int.from_bytes(self._data[at : at + width], self._order)
