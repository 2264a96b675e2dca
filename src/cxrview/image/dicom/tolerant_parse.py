"""Parse a data set with broken value representations, lengths or delimiters.

It is slow, and used only if pydicom fails or may have misread an element.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from cxrview.errors import NestedTooDeep, TooLarge
from cxrview.image.dicom.element_forms import (
    ITEM,
    ITEM_END,
    LOOK_AHEAD,
    SEQUENCE_END,
    UNDEFINED,
    Form,
    Forms,
    is_known,
)
from cxrview.image.fetch import Data
from cxrview.image.file_format import is_vr

Elements = dict[BaseTag, DataElement | RawDataElement]

ODD_VR, ODD_LENGTH, ODD_SEQUENCE = "odd_vr", "odd_length", "odd_sequence"
MAX_ELEMENTS = 100_000
"""Limit, including items of sequences, since a file of empty elements would take fifty times its
size in memory."""
_PIXELS = 0x7FE00010
_LOOK_INTO = 64
"""Nesting limit of a sequence that is parsed later."""
_LONGEST_SEARCH = 1 << 16
_MAX_SEARCHES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The elements of a damaged data set."""

    elements: Elements
    end: int
    """Position at which parsing ended: at the pixels, or after the last element that was read."""
    broken: int | None = None
    """Tag of an element that could not be read, although others follow."""
    is_cut: bool = False
    """Whether the data end within an element."""
    notes: tuple[str, ...] = ()


class _Broken(Exception):
    """A sequence cannot be read."""


class _Cut(Exception):
    """The data end within a sequence."""


def read_elements(
    path: str,
    data: Data,
    start: int,
    *,
    is_little_endian: bool,
    is_last: Callable[[int], bool],
    fit: Callable[[int], float],
    max_nesting: int,
) -> Found:
    """Read elements up to the first one for which `is_last` is true.

    Args:
        path: for errors only.
        data: all bytes.
        start: of the first element.
        is_little_endian: byte order of all numbers.
        is_last: whether parsing ends before an element with this tag.
        fit: the likelihood that such an element begins at a position, 0 to 1.
        max_nesting: sequences within sequences.

    Raises:
        NestedTooDeep: sequences beyond `max_nesting`.
        TooLarge: more than `MAX_ELEMENTS`.
    """
    reader = _Reader(path, data, is_little_endian, max_nesting, is_last, fit)
    return reader.read_all(start)


def read_first_item(value: bytes, *, is_little_endian: bool) -> Dataset | None:
    """Read the first item of a sequence of defined length; None if it is missing or broken."""
    reader = _Reader("", value, is_little_endian, _LOOK_INTO)
    try:
        return next((item for item, _ in reader.items(0, len(value), level=1)), None)
    except (_Broken, _Cut, NestedTooDeep, TooLarge):
        return None


def has_odd_vr(dataset: Dataset, *, is_implicit: bool) -> bool:
    """Whether an element has no known VR, so that pydicom may have misread it.

    Args:
        dataset: an item of a sequence, as pydicom read it.
        is_implicit: elements of the sequence have no VR in the file.
    """
    vrs = [element.VR for element in dataset.values()]
    return any(
        not is_implicit if vr is None else not is_vr(vr.encode("latin-1", "replace")) for vr in vrs
    )


def too_many_elements(path: str) -> TooLarge:
    """Return the error for a file with more than `MAX_ELEMENTS`."""
    return TooLarge(path, f"it has more than {MAX_ELEMENTS:,} elements")


class _Reader:
    def __init__(
        self,
        path: str,
        data: Data,
        is_little_endian: bool,
        max_nesting: int,
        is_last: Callable[[int], bool] = lambda _tag: False,
        fit: Callable[[int], float] = lambda _at: 0.0,
    ) -> None:
        self._path, self._data, self._size = path, data, len(data)
        self._is_little, self._max_nesting = is_little_endian, max_nesting
        self._order: Any = "little" if is_little_endian else "big"
        self._is_last, self._fit = is_last, fit
        self._forms = Forms(data, is_little_endian, is_last, fit)
        self._notes: dict[str, None] = {}
        self._searches = self._count = 0

    def read_all(self, at: int) -> Found:
        """Read the elements of the outermost level."""
        elements: Elements = {}
        tag, is_implicit = -1, not is_vr(self._data[at + 4 : at + 6])
        while True:
            if self._forms.is_over(at, self._size):
                rest = self._data[at : self._size]
                return self._found(elements, at, is_cut=0 < len(rest) < 8 and any(rest))
            before, tag = tag, self._forms.tag(at)
            if tag in (ITEM_END, SEQUENCE_END):  # outside a sequence
                self._notes[ODD_SEQUENCE] = None
                at, tag = at + 8, before
                continue
            if self._is_last(tag):
                return self._found(elements, at)
            form = self._choose(at, self._size, is_implicit=is_implicit, is_nested=False)
            try:
                if form is None:
                    raise _Broken
                element, end = self._element(tag, form, self._size, level=0)
                elements[element.tag] = element
            except (_Broken, _Cut) as error:
                found = self._next_readable(at, form)
                if found is None:
                    is_cut = self._is_cut(at, form, error)
                    return self._found(elements, at, None if is_cut else tag, is_cut=is_cut)
                self._notes[ODD_LENGTH if form is None else ODD_SEQUENCE] = None
                if form is None:
                    elements[BaseTag(tag)] = self._closed_at(at, found)
                end = found
            if form is not None:
                is_implicit = form.is_implicit
            at = end

    def _closed_at(self, at: int, end: int) -> RawDataElement:
        """Return an element of wrong length, cut at the start of the next one."""
        is_implicit = self._forms.is_implicit
        form = self._forms.list_forms(at, is_implicit=is_implicit)[0]
        value, tag = self._data[form.start : end], BaseTag(self._forms.tag(at))
        return RawDataElement(
            tag, form.vr, len(value), value, form.start, is_implicit, self._is_little
        )

    def items(self, at: int, end: int, *, level: int) -> Iterator[tuple[Dataset, int]]:
        """Yield the items of a sequence, each with its end (PS3.5 section 7.5)."""
        if level > self._max_nesting:
            raise NestedTooDeep(self._path, "its sequences are nested deeper than the limit")
        while end - at >= 8 and self._forms.tag(at) != SEQUENCE_END:
            if self._forms.tag(at) != ITEM:
                raise _Broken
            length = self._forms.number(at + 4, 4)
            stop = end if length == UNDEFINED else at + 8 + length
            if stop > end:
                raise _Cut
            self._count_one()
            elements, at = self._nested(at + 8, stop, level=level)
            if length != UNDEFINED:
                at = stop
            yield Dataset(elements), at

    def _nested(self, at: int, end: int, *, level: int) -> tuple[Elements, int]:
        elements: Elements = {}
        is_implicit = not is_vr(self._data[at + 4 : at + 6])
        while end - at >= 8:
            tag = self._forms.tag(at)
            if tag == ITEM_END:
                return elements, at + 8
            if tag in (SEQUENCE_END, ITEM):  # the item lacks its own delimiter
                return elements, at
            form = self._choose(at, end, is_implicit=is_implicit, is_nested=True)
            if form is None:
                is_over = self._forms.list_forms(at, is_implicit=is_implicit)[0].end > self._size
                raise _Cut if is_over else _Broken
            element, at = self._element(tag, form, end, level=level)
            elements[element.tag] = element
        return elements, at

    def _choose(self, at: int, end: int, *, is_implicit: bool, is_nested: bool) -> Form | None:
        form = self._forms.choose(at, end, is_implicit=is_implicit, is_nested=is_nested)
        if form is not None and form.is_odd(is_implicit=is_implicit):
            self._notes[ODD_VR] = None
        return form

    def _element(
        self, tag: int, form: Form, end: int, *, level: int
    ) -> tuple[DataElement | RawDataElement, int]:
        self._count_one()
        if form.length == UNDEFINED and (form.vr in ("OB", "OW") or tag == _PIXELS):
            stop = self._behind_fragments(form.start, end)
        elif form.length == UNDEFINED:
            return self._sequence(tag, form.start, end, level=level + 1)
        else:
            stop = form.end
        value = self._data[form.start : min(stop, end)]
        return RawDataElement(
            BaseTag(tag),
            form.vr,
            form.length,
            value,
            form.start,
            form.is_implicit,
            self._is_little,
        ), stop

    def _count_one(self) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise too_many_elements(self._path)

    def _sequence(self, tag: int, at: int, end: int, *, level: int) -> tuple[DataElement, int]:
        items: list[Dataset] = []
        for item, stop in self.items(at, end, level=level):
            items.append(item)
            at = stop
        if end - at < 8:
            raise _Cut
        return DataElement(BaseTag(tag), "SQ", Sequence(items), is_undefined_length=True), at + 8

    def _behind_fragments(self, at: int, end: int) -> int:
        while end - at >= 8:
            tag = self._forms.tag(at)
            if tag == SEQUENCE_END:
                return at + 8
            if tag != ITEM:
                raise _Broken
            at += 8 + self._forms.number(at + 4, 4)
        raise _Cut

    def _next_readable(self, at: int, form: Form | None) -> int | None:
        """Find the next element after a broken one; None if there is none."""
        self._searches += 1
        if self._searches > _MAX_SEARCHES:
            return None
        tag = self._forms.tag(at)
        if form is not None or self._forms.list_forms(at)[0].vr == "SQ":
            return self._behind_sequence(at, tag) if form is not None else None
        is_implicit = self._forms.is_implicit
        enough = LOOK_AHEAD * (0.5 if is_implicit else 1)
        stop = min(self._size - 8, at + _LONGEST_SEARCH)
        for k in range(at + 8, stop):
            if self._forms.tag(k) == ITEM:  # what follows belongs to a sequence
                return None
            found = self._forms.tag(k)
            is_start = is_known(found) if is_implicit else is_vr(self._data[k + 4 : k + 6])
            if (found > tag and is_start) or self._is_last(found):
                outlook = self._forms.outlook(k, self._size, tag, LOOK_AHEAD, is_nested=False)
                if outlook is not None and outlook >= enough:
                    return k
        return None

    def _behind_sequence(self, at: int, tag: int) -> int | None:
        end = b"".join(k.to_bytes(2, self._order) for k in (0xFFFE, 0xE0DD, 0, 0))
        at = self._data.find(end, at)
        while at >= 0:
            outlook = self._forms.outlook(at + 8, self._size, tag, LOOK_AHEAD, is_nested=False)
            if outlook is not None and outlook >= LOOK_AHEAD:
                return at + 8
            at = self._data.find(end, at + 8)
        return None

    def _is_cut(self, at: int, form: Form | None, error: Exception) -> bool:
        """Whether the data end within the broken element."""
        if isinstance(error, _Cut):
            return True
        # A truncated sequence may hold an icon, whose pixels do not end with the file.
        is_sequence = form is not None or self._forms.list_forms(at)[0].vr == "SQ"
        return not self._has_last_behind(at + 8, 1.0 if is_sequence else 0.5)

    def _has_last_behind(self, at: int, fit: float) -> bool:
        marks = [b"\xe0\x7f\x10\0", b"\x7f\xe0\0\x10"]
        mark = marks[0] if self._is_little else marks[1]
        at = self._data.find(mark, at)
        while at >= 0:
            if self._fit(at) >= fit:
                return True
            at = self._data.find(mark, at + 4)
        return False

    def _found(
        self, elements: Elements, end: int, broken: int | None = None, *, is_cut: bool = False
    ) -> Found:
        return Found(
            elements=elements, end=end, broken=broken, is_cut=is_cut, notes=tuple(self._notes)
        )
