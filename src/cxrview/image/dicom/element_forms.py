"""Choose how to read the header of a malformed element, by the elements that follow it.

The length of an element has one of three forms (PS3.5 section 7.1), which its value representation
(VR) determines. If the VR is not valid, each form is tried. The form is chosen after which further
elements follow in order, with known tags and VRs, up to the pixels or the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_has_tag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from cxrview.image.fetch import Data
from cxrview.image.file_format import is_vr

ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
LOOK_AHEAD = 3
"""Number of elements that must follow in order for a form to be accepted."""
_ENOUGH, _DOUBTFUL = 0.9, 0.2
"""Outlook from which any form is accepted; outlook of a pixel element that fits badly."""
_PLAUSIBLE = 0.3
"""Outlook from which the expected form is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to read the header of an element."""

    vr: str | None
    """None if it is not valid."""
    start: int
    length: int
    is_declared: bool
    """The VR is valid and determines this form."""
    is_implicit: bool
    weight: float
    """How strongly the element supports the form of its predecessor, 0 to 1."""

    def is_odd(self, *, is_implicit: bool) -> bool:
        """Whether the form is not that of its VR, or not that of the data set."""
        return self.is_implicit != is_implicit or self.is_declared == self.is_implicit

    @property
    def end(self) -> int:
        """End of the value; meaningless if the length is undefined."""
        return self.start + self.length


class Forms:
    """Rates the possible forms of elements by the elements that follow.

    Args:
        data: all bytes.
        is_little_endian: byte order of all numbers.
        is_last: whether parsing ends before an element with this tag.
        fit: the likelihood that such an element begins at a position, 0 to 1.
    """

    def __init__(
        self,
        data: Data,
        is_little_endian: bool,
        is_last: Callable[[int], bool],
        fit: Callable[[int], float],
    ) -> None:
        self._data, self._size = data, len(data)
        self._order: Any = "little" if is_little_endian else "big"
        self._is_last, self._fit = is_last, fit
        self.is_implicit = False
        """Whether the last element that was chosen is among those without VR."""

    def choose(self, at: int, end: int, *, is_implicit: bool, is_nested: bool) -> Form | None:
        """Choose the form of an element's header; None if no form leads to further elements."""
        self.is_implicit = is_implicit
        best, most = None, 0.0
        for form in self.list_forms(at, is_implicit=is_implicit):
            outlook = self._behind(form, end, self.tag(at), LOOK_AHEAD, is_nested=is_nested)
            if outlook is None or (form.length != UNDEFINED and form.end > end):
                continue
            if self._is_expected(form) and outlook >= _PLAUSIBLE:
                return form
            if outlook >= _ENOUGH and outlook + form.weight > most:
                best, most = form, outlook + form.weight
        return best

    def _is_expected(self, form: Form) -> bool:
        """Whether the VR determines the form, or the data set has no VRs and the tag is known."""
        if self.is_implicit:
            return form.is_implicit and form.weight >= 0.2
        return form.is_declared

    def list_forms(self, at: int, *, is_implicit: bool = False) -> list[Form]:
        """List the forms that the header of an element may have, the likeliest first."""
        letters, tag = self._data[at + 4 : at + 6], self.tag(at)
        upper = letters.upper()
        vr = upper.decode("ascii") if is_vr(upper) else None
        known = _weight(tag)
        is_long = vr in EXPLICIT_VR_LENGTH_32
        by_vr = 0.0 if vr is None else 1.0 if letters == upper else 0.8
        explicit = [
            Form(
                vr=vr if letters == upper else None,
                start=at + 8,
                length=self.number(at + 6, 2),
                is_declared=bool(by_vr) and not is_long and letters == upper,
                is_implicit=False,
                weight=known if is_long else max(known, by_vr),
            )
        ]
        if (is_long and letters == upper) or not self.number(at + 6, 2):
            long = Form(
                vr=vr if letters == upper else None,
                start=at + 12,
                length=self.number(at + 8, 4),
                is_declared=is_long and letters == upper,
                is_implicit=False,
                weight=max(known, by_vr) if is_long else known,
            )
            explicit.insert(0 if is_long else 1, long)
        implicit = Form(
            vr=None,
            start=at + 8,
            length=self.number(at + 4, 4),
            is_declared=False,
            is_implicit=True,
            weight=known,
        )
        return [implicit, *explicit] if is_implicit else [*explicit, implicit]

    def _behind(
        self, form: Form, end: int, tag: int, depth: int, *, is_nested: bool
    ) -> float | None:
        """Outlook after an element of this form; None if nothing can follow."""
        if form.length == UNDEFINED:
            begins = end - form.start >= 8 and self.tag(form.start) in (ITEM, SEQUENCE_END)
            return float(depth) if begins else None
        if form.end > end:
            if is_nested or end < self._size:
                return None
            return (
                0.4 if form.is_declared else -0.2 if form.is_implicit and self.is_implicit else None
            )
        return self.outlook(form.end, end, tag, depth, is_nested=is_nested)

    def outlook(
        self, at: int, end: int, after: int, depth: int, *, is_nested: bool
    ) -> float | None:
        """Rate the elements from `at` on; None if none can follow the tag `after`."""
        if self.is_over(at, end):
            return float(depth) if not any(self._data[at:end]) else None if is_nested else 0.5
        tag = self.tag(at)
        if tag in (ITEM, ITEM_END, SEQUENCE_END):
            if is_nested or tag != ITEM:
                return float(depth) if is_nested else 0.5
            return None
        if not is_nested and self._is_last(tag):
            return float(depth) if self._fit(at) >= 0.5 else _DOUBTFUL
        if depth == 0:
            return 0.0 if tag > after or is_vr(self._data[at + 4 : at + 6]) else None
        best = None
        for form in self.list_forms(at):
            if tag <= after and form.weight < 0.5:
                continue
            rest = self._behind(form, end, tag, depth - 1, is_nested=is_nested)
            if rest is None and form.end <= end and self._is_expected(form):
                rest = -0.4 * form.weight  # though broken, it supports the form of its predecessor
            if rest is None:
                continue
            here = form.weight + rest - (0.5 if tag <= after else 0)
            best = here if best is None else max(best, here)
            if form.is_declared:
                break
        return best

    def is_over(self, at: int, end: int) -> bool:
        """Whether only padding follows."""
        if end - at < 8:
            return True
        return not any(self._data[at : at + 8]) and not self._data[at:end].strip(b"\0")

    def tag(self, at: int) -> int:
        """Read a tag, group first."""
        return self.number(at, 2) << 16 | self.number(at + 2, 2)

    def number(self, at: int, width: int) -> int:
        """Read an unsigned number, of fewer bytes at the end of the data."""
        return int.from_bytes(self._data[at : at + width], self._order)


def is_known(tag: int) -> bool:
    """Whether a tag is in the DICOM dictionary, or is a group length."""
    return tag & 0xFFFF == 0 or dictionary_has_tag(tag)


def _weight(tag: int) -> float:
    """Return how unlikely a tag is in random bytes, 0 to 0.5."""
    if is_known(tag):
        return 0.5
    is_private = tag >> 16 & 1 and (0x10 <= tag & 0xFFFF <= 0xFF or tag & 0xFFFF >= 0x1000)
    return 0.2 if is_private else 0.0
