"""How the head of an element may be read, and which way makes sense of what follows it.

The length of an element stands in one of three forms (PS3.5 section 7.1), which the two letters
of its value representation (VR) tell. Where they do not, each form is tried, and that one is
taken behind which further elements follow as they should: ascending, with tags and letters that
are known, up to the pixels or the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_has_tag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from cxrview.image.fetch import Data
from cxrview.image.sniff import is_vr

ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
LOOK_AHEAD = 3
"""Elements that must follow in order before a form is believed."""
_ENOUGH, _DOUBTFUL = 0.9, 0.2
"""Outlooks at which any form is believed, and none."""
_PLAUSIBLE = 0.3
"""Outlook at which the form is believed that is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One way to read the head of an element."""

    vr: str | None
    """None where it is not told."""
    start: int
    length: int
    is_told: bool
    """The letters are those of a known value representation, and tell this form."""
    is_implicit: bool
    weight: float
    """How much such an element speaks for what led to it."""

    def is_odd(self, *, is_implicit: bool) -> bool:
        """Whether it is another form than the letters tell, or than that of the data set."""
        return self.is_implicit != is_implicit or self.is_told == self.is_implicit

    @property
    def end(self) -> int:
        """Where the value ends; of no use where the length is undefined."""
        return self.start + self.length


class Forms:
    """Judges the heads of elements by what follows them.

    Args:
        data: all bytes.
        is_little_endian: byte order of all numbers.
        is_last: whether the elements end before one, by its tag.
        fit: how well what stands at such a place is what should be there, from 0 to 1.
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
        """Whether the element asked for last stands among those without letters."""

    def choose(self, at: int, end: int, *, is_implicit: bool, is_nested: bool) -> Form | None:
        """Pick the form of an element's head; None where none leads to further elements."""
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
        """Whether the letters tell a form, or the data set has none and the tag is known."""
        if self.is_implicit:
            return form.is_implicit and form.weight >= 0.2
        return form.is_told

    def list_forms(self, at: int, *, is_implicit: bool = False) -> list[Form]:
        """List how the head of an element may be read, the likeliest first."""
        letters, tag = self._data[at + 4 : at + 6], self.tag(at)
        upper = letters.upper()
        vr = upper.decode("ascii") if is_vr(upper) else None
        known = _weight(tag)
        is_long = vr in EXPLICIT_VR_LENGTH_32
        told = 0.0 if vr is None else 1.0 if letters == upper else 0.8
        explicit = [
            Form(
                vr=vr if letters == upper else None,
                start=at + 8,
                length=self.number(at + 6, 2),
                is_told=bool(told) and not is_long and letters == upper,
                is_implicit=False,
                weight=known if is_long else max(known, told),
            )
        ]
        if (is_long and letters == upper) or not self.number(at + 6, 2):
            long = Form(
                vr=vr if letters == upper else None,
                start=at + 12,
                length=self.number(at + 8, 4),
                is_told=is_long and letters == upper,
                is_implicit=False,
                weight=max(known, told) if is_long else known,
            )
            explicit.insert(0 if is_long else 1, long)
        implicit = Form(
            vr=None,
            start=at + 8,
            length=self.number(at + 4, 4),
            is_told=False,
            is_implicit=True,
            weight=known,
        )
        return [implicit, *explicit] if is_implicit else [*explicit, implicit]

    def _behind(
        self, form: Form, end: int, tag: int, depth: int, *, is_nested: bool
    ) -> float | None:
        """How well what lies behind an element goes on; None where it cannot."""
        if form.length == UNDEFINED:
            begins = end - form.start >= 8 and self.tag(form.start) in (ITEM, SEQUENCE_END)
            return float(depth) if begins else None
        if form.end > end:
            if is_nested or end < self._size:
                return None
            return 0.4 if form.is_told else -0.2 if form.is_implicit and self.is_implicit else None
        return self.outlook(form.end, end, tag, depth, is_nested=is_nested)

    def outlook(
        self, at: int, end: int, after: int, depth: int, *, is_nested: bool
    ) -> float | None:
        """Weigh the elements from `at` on; None where there cannot be any behind tag `after`."""
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
                rest = -0.4 * form.weight  # it speaks for what led to it, though it is broken
            if rest is None:
                continue
            here = form.weight + rest - (0.5 if tag <= after else 0)
            best = here if best is None else max(best, here)
            if form.is_told:
                break
        return best

    def is_over(self, at: int, end: int) -> bool:
        """Whether nothing follows but padding."""
        if end - at < 8:
            return True
        return not any(self._data[at : at + 8]) and not self._data[at:end].strip(b"\0")

    def tag(self, at: int) -> int:
        """Read a tag, group first."""
        return self.number(at, 2) << 16 | self.number(at + 2, 2)

    def number(self, at: int, width: int) -> int:
        """Read an unsigned number; of fewer bytes where the data end."""
        return int.from_bytes(self._data[at : at + width], self._order)


def is_known(tag: int) -> bool:
    """Whether a tag stands in the dictionary, or is of a group length."""
    return tag & 0xFFFF == 0 or dictionary_has_tag(tag)


def _weight(tag: int) -> float:
    """How seldom a tag comes about by chance."""
    if is_known(tag):
        return 0.5
    is_private = tag >> 16 & 1 and (0x10 <= tag & 0xFFFF <= 0xFF or tag & 0xFFFF >= 0x1000)
    return 0.2 if is_private else 0.0
