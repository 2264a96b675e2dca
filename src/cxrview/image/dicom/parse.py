"""Parse a DICOM file up to Pixel Data, tolerating malformed input."""

import warnings as python_warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import VR

from cxrview.errors import (
    CorruptPixels,
    NestedTooDeep,
    NotAnImage,
    Truncated,
    UnreadableImage,
)
from cxrview.image.dicom.elements import raw_element
from cxrview.image.dicom.nested_count import NestedCounter
from cxrview.image.dicom.tolerant_parse import (
    MAX_ELEMENTS,
    Elements,
    Found,
    has_odd_vr,
    read_elements,
    too_many_elements,
)
from cxrview.image.fetch import Data
from cxrview.image.file_format import is_vr
from cxrview.image.limits import Limits, check_inflation, inflated_cap

FLOAT_PIXELS, DOUBLE_PIXELS, PIXELS = 0x7FE00008, 0x7FE00009, 0x7FE00010
_PIXEL_TAGS = frozenset([FLOAT_PIXELS, DOUBLE_PIXELS, PIXELS])
UNDEFINED_LENGTH = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_PADDING = 0xFFFCFFFC
_LONG_META = 4096
_KNOWN_VRS = frozenset(str(vr) for vr in VR if len(vr) == 2)
_LONG_VRS = frozenset(["OB", "OW", "OF", "OD", "OL", "OV", "UN"])
_INFLATED = 4
"""Factor by which most deflated radiographs grow at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelElement:
    """The position of the pixels in the file; they are not copied."""

    tag: int
    vr: str
    """Empty in implicit VR."""
    value: memoryview
    """Bytes of the value to its declared end, or to the end of the file if earlier."""
    length: int
    """Declared length; `UNDEFINED_LENGTH` for encapsulated pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The elements of a file before its pixels, most of them unconverted."""

    meta: Dataset
    dataset: Dataset
    transfer_syntax: str
    """UID in the meta information; guessed if it is missing."""
    is_little_endian: bool
    pixels: PixelElement | None
    is_cut: bool
    """The file ends within an element before the pixels."""
    broken: int | None = None
    """Tag of an element before the pixels that cannot be read, although others follow."""
    warnings: tuple[str, ...]


def parse(path: str, data: Data, limits: Limits) -> Parsed:
    """Read the elements before the pixels.

    Sequences of defined length are parsed when they are accessed.

    Args:
        path: for errors only.
        data: all bytes of the file, with or without preamble and meta information.
        limits: on nesting and inflating.

    Raises:
        NestedTooDeep: sequences beyond `max_nesting`.
        TooLarge: a deflated data set beyond its cap.
        CorruptPixels: a deflated data set that does not inflate.
        NotAnImage: the first bytes look like DICOM, but no element can be read.

    Source:
        PS3.10 section 7.1 (preamble and meta information), PS3.5 section 7 (elements).
    """
    start = 132 if data[128:132] == b"DICM" else 0
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # they quote header values
        try:
            return _parse(path, data, start, limits)
        except RecursionError as error:
            raise _nested_too_deep(path) from error


def _parse(path: str, data: Data, start: int, limits: Limits) -> Parsed:
    meta = _read_meta(path, data, start, limits)
    syntax, start = _syntax_of(Dataset(meta.elements)), meta.end
    notes = meta.notes
    if not syntax:
        syntax = _guess_syntax(data[start : start + 8])
        notes += ("no_transfer_syntax",)
    if syntax == DeflatedExplicitVRLittleEndian:
        data, start = inflate(path, memoryview(data)[start:], limits), 0
    is_little, more = _byte_order(data[start : start + 6], syntax)
    found = _read_elements(path, data, start, is_little, limits)
    dataset = Dataset(found.elements)
    is_implicit = _is_implicit(data, start)
    pixels, is_head_cut = _pixel_element(data, found.end, is_implicit, is_little)
    if pixels is not None and pixels.vr not in _LONG_VRS and not is_implicit:
        more += ("odd_vr",)
    is_cut = meta.is_cut or found.is_cut or is_head_cut
    if not found.elements and pixels is None and not is_cut:
        raise NotAnImage(path, "it has no readable DICOM element")
    _check_nesting(path, dataset, limits)
    return Parsed(
        meta=Dataset(meta.elements),
        dataset=dataset,
        transfer_syntax=syntax,
        is_little_endian=is_little,
        pixels=pixels,
        is_cut=is_cut,
        broken=found.broken if meta.broken is None else meta.broken,
        warnings=tuple(dict.fromkeys(notes + more + found.notes)),
    )


def inflate(path: str, deflated: memoryview, limits: Limits) -> bytes:
    """Inflate a raw deflate stream (RFC 1951) within the limits.

    Raises:
        TooLarge: the result would be larger than they allow.
        CorruptPixels: the data are not a deflate stream.
        Truncated: the stream ends too early.
    """
    cap = inflated_cap(len(deflated), limits)
    if (all_data := _inflate_fast(deflated, min(cap, _INFLATED * len(deflated)))) is not None:
        return all_data
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = stream.decompress(deflated, cap + 1)
    except zlib.error as error:
        raise CorruptPixels(path, "its deflated data cannot be inflated") from error
    check_inflation(path, len(deflated), len(data), limits)
    if not stream.eof:
        raise Truncated(path, "it ends before its deflated data do")
    return data


def _inflate_fast(deflated: memoryview, most: int) -> bytes | None:
    """Inflate by libdeflate, in half of zlib's time; None on an error or a longer result."""
    import imagecodecs

    stream: Any = deflated  # any buffer works, although the stubs do not allow it
    try:
        return bytes(imagecodecs.deflate_decode(stream, raw=True, out=most))
    except imagecodecs.DeflateError:
        return None


def _read_meta(path: str, data: Data, start: int, limits: Limits) -> Found:
    """Read group 0002 to its last element: its group length is often wrong."""
    if data[start : start + 2] != b"\x02\x00":
        return Found(elements={}, end=start)
    return _read_elements(path, data, start, True, limits)


def _syntax_of(meta: Dataset) -> str:
    element = raw_element(meta, 0x00020010)
    value = element.value if isinstance(element, RawDataElement) else None
    return value.decode("latin-1").strip("\0 ") if isinstance(value, bytes) else ""


def _guess_syntax(head: bytes) -> str:
    if not is_vr(head[4:6]):
        return str(ImplicitVRLittleEndian)
    # Group 0008 of a big endian file, read as little endian, is 0x0800.
    is_little = int.from_bytes(head[:2], "little") < 0x0400
    return str(ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian)


def _byte_order(head: bytes, syntax: str) -> tuple[bool, tuple[str, ...]]:
    """Recognise the byte order by the first group, which is below 0400: the syntax may be wrong."""
    is_little = syntax != ExplicitVRBigEndian
    little, big = int.from_bytes(head[:2], "little"), int.from_bytes(head[:2], "big")
    if (little if is_little else big) >= 0x0400 > (big if is_little else little):
        return not is_little, ("odd_transfer_syntax",)
    return is_little, ()


def _is_implicit(data: Data, start: int) -> bool:
    """Whether elements have no VR, by the first one, since the transfer syntax may be wrong."""
    return not is_vr(data[start + 4 : start + 6])


class _Odd(Exception):
    """A data set is malformed, so that pydicom may have misread it."""


def _read_elements(path: str, data: Data, start: int, is_little: bool, limits: Limits) -> Found:
    """Read group 0002 if it begins here, else all elements before the pixels."""
    is_meta = data[start : start + 2] == b"\x02\x00"
    is_implicit = _is_implicit(data, start)
    try:
        return _read_sound(path, data, start, is_implicit, is_little, is_meta)
    except (MemoryError, RecursionError, UnreadableImage):
        raise
    except Exception:  # broken elements can raise anything in pydicom, quoting them
        if is_meta:
            return read_elements(
                path,
                data,
                start,
                is_little_endian=True,
                is_last=lambda tag: tag >> 16 != 2,
                fit=lambda at: float(
                    _begins_data_set(data, at, start) or _tag(data, at, "little") in _PIXEL_TAGS
                ),
                max_nesting=limits.max_nesting,
            )
        return read_elements(
            path,
            data,
            start,
            is_little_endian=is_little,
            is_last=lambda tag: tag in _PIXEL_TAGS,
            fit=lambda at: _pixels_fit(data, at, is_implicit, is_little),
            max_nesting=limits.max_nesting,
        )


def _read_sound(
    path: str, data: Data, start: int, is_implicit: bool, is_little: bool, is_meta: bool
) -> Found:
    """Read by pydicom, which is fast; raise an error at the first malformed element."""
    file: Any = BytesIO(data) if isinstance(data, bytes) else data
    file.seek(start)
    elements: Elements = {}
    before, is_ended = -1, False
    nested = NestedCounter(path, data, is_implicit=is_implicit, is_little_endian=is_little)

    def is_beyond(tag: BaseTag, vr: str | None, length: int) -> bool:
        nonlocal before, is_ended
        is_ended = tag >> 16 != 2 if is_meta else tag in _PIXEL_TAGS
        if not is_ended and (tag <= before or (vr not in _KNOWN_VRS and not is_implicit)):
            raise _Odd
        if length == UNDEFINED_LENGTH and not is_ended:
            nested.count(file.tell(), vr)
        before = tag
        return is_ended

    for element in data_element_generator(file, is_implicit, is_little, is_beyond):
        elements[element.tag] = element
        if len(elements) > MAX_ELEMENTS:
            raise too_many_elements(path)
    if is_ended and is_meta and not _begins_data_set(data, file.tell(), start):
        raise _Odd
    if not is_ended:
        _check_end(data, file.tell(), elements)
    if any(has_odd_vr(item, is_implicit=is_implicit) for item in _items_read(elements.values())):
        raise _Odd
    return Found(elements=elements, end=file.tell())


def _check_end(data: Data, end: int, elements: Elements) -> None:
    """Raise `_Odd` if the last element is short, or is followed by other bytes."""
    last = next(reversed(elements.values()), None)
    if isinstance(last, RawDataElement) and last.length != UNDEFINED_LENGTH:
        end = min(end, last.value_tell + last.length)
        if len(last.value or b"") < last.length:
            raise _Odd
    if last is None or end < len(data):
        raise _Odd


def _begins_data_set(data: Data, at: int, meta: int) -> bool:
    """Whether the meta information ends here, by its group length or by what follows."""
    if DeflatedExplicitVRLittleEndian.encode() in data[meta : min(at, meta + _LONG_META)]:
        return True  # anything may follow
    if data[meta : meta + 4] == b"\2\0\0\0":
        length = int.from_bytes(data[meta + 8 : meta + 12], "little")
        if at == meta + 12 + length:
            return True
    return data[at : at + 2] in (b"\4\0", b"\x08\0", b"\0\x08", b"\x10\0", b"\x18\0", b"\x28\0")


def _check_nesting(path: str, dataset: Dataset, limits: Limits) -> None:
    """Check the nesting of sequences of undefined length, which the parser has entered."""
    level = [dataset]
    for _ in range(limits.max_nesting + 1):
        level = [item for dataset in level for item in _items_read(dataset.values())]
        if not level:
            return
    raise _nested_too_deep(path)


def _items_read(elements: Iterable[DataElement | RawDataElement]) -> list[Dataset]:
    """Return the items of all parsed sequences."""
    return [
        item
        for element in elements
        if isinstance(element, DataElement) and element.VR == "SQ"
        for item in element.value or ()
    ]


def _nested_too_deep(path: str) -> NestedTooDeep:
    return NestedTooDeep(path, "its sequences are nested deeper than the limit")


def _pixel_element(
    data: Data, at: int, is_implicit: bool, is_little: bool
) -> tuple[PixelElement | None, bool]:
    """Read the header of a pixel element at `at`; and whether the file ends within the element."""
    order: Any = "little" if is_little else "big"
    tag = _tag(data, at, order)
    if tag not in _PIXEL_TAGS:
        return None, False
    heads = _pixel_heads(data, at, is_implicit, order)
    vr, start, size = next((head for head in heads if _fits(data, *head[1:], order)), heads[0])
    end = len(data) if size == UNDEFINED_LENGTH else start + size
    element = PixelElement(tag=tag, vr=vr, value=memoryview(data)[start:end], length=size)
    return element, start > len(data)


def _pixel_heads(data: Data, at: int, is_implicit: bool, order: Any) -> list[tuple[str, int, int]]:
    """List ways to read the header, the likeliest first: VR, start and length of the value."""

    def number(start: int, stop: int) -> int:
        return int.from_bytes(data[at + start : at + stop], order)

    letters = data[at + 4 : at + 6]
    vr = letters.decode("ascii") if is_vr(letters) else ""
    short, implicit = (vr, at + 8, number(6, 8)), ("", at + 8, number(4, 8))
    long = (vr, at + 12, number(8, 12))
    if vr in _LONG_VRS and not is_implicit:
        return [long]
    if vr in _LONG_VRS:
        return [implicit, long]
    if is_implicit:
        return [implicit, long, short]
    return [long, implicit, short] if number(6, 8) == 0 else [short, implicit]


def _fits(data: Data, start: int, size: int, order: Any) -> bool:
    """Whether pixels of this length are followed by the end of the file, or by padding."""
    if size == UNDEFINED_LENGTH:
        return _tag(data, start, order) == _ITEM
    rest = data[start + size : start + size + 8]
    if start + size > len(data) or len(rest) < 8 or not any(rest):
        return start + size <= len(data)
    return _tag(rest, 0, order) == _PADDING


def _pixels_fit(data: Data, at: int, is_implicit: bool, is_little: bool) -> float:
    """Rate whether a pixel tag begins the pixels: 1 if they fit the file, 0.5 if they are cut."""
    order: Any = "little" if is_little else "big"
    heads = _pixel_heads(data, at, is_implicit, order)
    if any(_fits(data, *head[1:], order) for head in heads):
        return 1.0
    return 0.5 if data[at + 4 : at + 8] in (b"OW\0\0", b"OB\0\0") else 0.0


def _tag(data: Data, at: int, order: Any) -> int:
    return int.from_bytes(data[at : at + 2], order) << 16 | int.from_bytes(
        data[at + 2 : at + 4], order
    )
