"""From the bytes of a DICOM file to its elements, up to the pixels, without trust."""

import warnings as python_warnings
import zlib
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

from cxrview.errors import (
    CorruptHeader,
    CorruptPixels,
    NestedTooDeep,
    NotAnImage,
    TooLarge,
    Truncated,
    UnreadableImage,
)
from cxrview.image.header import raw_element
from cxrview.image.limits import Limits, check_inflation, inflated_cap
from cxrview.image.mapped import Data
from cxrview.image.sniff import is_vr

FLOAT_PIXELS, DOUBLE_PIXELS, PIXELS = 0x7FE00008, 0x7FE00009, 0x7FE00010
UNDEFINED_LENGTH = 0xFFFFFFFF
_MOST_ELEMENTS = 100_000
"""So that a file of empty elements does not take fifty times its size in memory."""
_INFLATED = 4
"""Times its length that a deflated radiograph comes to at the most, as a rule."""
_ADVICE = "Copy or export it again"


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelElement:
    """Where the pixels lie; no byte of them has been copied."""

    tag: int
    vr: str
    """Empty in implicit VR."""
    value: memoryview
    """From the first byte of the value to its declared end, or of the file if that is sooner."""
    length: int
    """As declared; `UNDEFINED_LENGTH` for encapsulated pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The elements of a file up to its pixels, most of them still as bytes."""

    meta: Dataset
    dataset: Dataset
    transfer_syntax: str
    """As the file says; a guess where it says nothing."""
    is_little_endian: bool
    pixels: PixelElement | None
    is_cut: bool
    """The file ends within an element before the pixels."""
    warnings: tuple[str, ...]


def parse(path: str, data: Data, limits: Limits) -> Parsed:
    """Read the elements before the pixels.

    Sequences of defined length stay unread until somebody asks for them.

    Args:
        path: for errors only.
        data: all bytes of the file, with or without preamble and meta information.
        limits: bounds on nesting and inflating.

    Raises:
        NestedTooDeep: sequences beyond `max_nesting`.
        TooLarge: a deflated data set beyond its cap.
        CorruptPixels: a deflated data set that does not inflate.
        NotAnImage: the first bytes looked like DICOM, the rest does not.

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
    meta, start, is_cut = _read_meta(path, data, start)
    syntax = _syntax_of(meta)
    notes: tuple[str, ...] = ()
    if not syntax:
        syntax, notes = _guess_syntax(data[start : start + 8]), ("no_transfer_syntax",)
    if syntax == DeflatedExplicitVRLittleEndian:
        data, start = inflate(path, memoryview(data)[start:], limits), 0
    is_little = syntax != ExplicitVRBigEndian
    elements, end, cut = _read_elements(path, data, start, _is_implicit(data, start), is_little)
    dataset = Dataset(elements)
    if not elements and not is_cut and not cut:
        raise NotAnImage(path, "no DICOM element can be read in it", _ADVICE)
    _check_nesting(path, dataset, limits)
    return Parsed(
        meta=meta,
        dataset=dataset,
        transfer_syntax=syntax,
        is_little_endian=is_little,
        pixels=_pixel_element(data, end, _is_implicit(data, start), is_little),
        is_cut=is_cut or cut,
        warnings=notes,
    )


def inflate(path: str, deflated: memoryview, limits: Limits) -> bytes:
    """Inflate a raw deflate stream (RFC 1951) no further than the limits allow.

    Raises:
        TooLarge: it would swell beyond them.
        CorruptPixels: it is no such stream.
        Truncated: it ends too soon.
    """
    cap = inflated_cap(len(deflated), limits)
    if (whole := _inflate_whole(deflated, min(cap, _INFLATED * len(deflated)))) is not None:
        return whole
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = stream.decompress(deflated, cap + 1)
    except zlib.error as error:
        raise CorruptPixels(path, "its deflated data cannot be inflated", _ADVICE) from error
    check_inflation(path, len(deflated), len(data), limits)
    if not stream.eof:
        raise Truncated(path, "it ends before its deflated data do", _ADVICE)
    return data


def _inflate_whole(deflated: memoryview, most: int) -> bytes | None:
    """Inflate by libdeflate, in half of zlib's time; None of what is longer, or broken."""
    import imagecodecs

    stream: Any = deflated  # any buffer will do, whatever the stubs say
    try:
        return bytes(imagecodecs.deflate_decode(stream, raw=True, out=most))
    except imagecodecs.DeflateError:
        return None


def _read_meta(path: str, data: Data, start: int) -> tuple[Dataset, int, bool]:
    """Read group 0002 to its last element: its group length is often wrong."""
    if data[start : start + 2] != b"\x02\x00":
        return Dataset(), start, False
    elements, end, is_cut = _read_elements(
        path, data, start, not is_vr(data[start + 4 : start + 6]), True
    )
    return Dataset(elements), end, is_cut


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


def _is_implicit(data: Data, start: int) -> bool:
    """By the first element, not by the transfer syntax: that is sometimes wrong."""
    return not is_vr(data[start + 4 : start + 6])


def _read_elements(
    path: str, data: Data, start: int, is_implicit: bool, is_little: bool
) -> tuple[dict[BaseTag, DataElement | RawDataElement], int, bool]:
    """Read group 0002 if there, else all before the pixels; also where that ends, and how."""
    is_meta = data[start : start + 2] == b"\x02\x00"
    file: Any = BytesIO(data) if isinstance(data, bytes) else data
    file.seek(start)
    elements: dict[BaseTag, DataElement | RawDataElement] = {}

    def is_beyond(tag: BaseTag, vr: str | None, length: int) -> bool:
        return tag.group != 2 if is_meta else tag in (FLOAT_PIXELS, DOUBLE_PIXELS, PIXELS)

    try:
        for element in data_element_generator(file, is_implicit, is_little, is_beyond):
            elements[element.tag] = element
            if len(elements) > _MOST_ELEMENTS:
                raise _too_many_elements(path)
    except (MemoryError, RecursionError, UnreadableImage):
        raise
    except EOFError:
        return elements, len(data), True
    except Exception:  # broken elements can raise anything in pydicom, quoting them
        if not elements:
            raise CorruptHeader(path, "its DICOM elements cannot be read", _ADVICE) from None
        return elements, len(data), True
    return elements, file.tell(), _is_short(elements)


def _too_many_elements(path: str) -> TooLarge:
    return TooLarge(path, f"it has more than {_MOST_ELEMENTS:,} elements", _ADVICE)


def _is_short(elements: dict[BaseTag, DataElement | RawDataElement]) -> bool:
    """Whether the last element ends before its declared length."""
    last = next(reversed(elements.values()), None)
    if not isinstance(last, RawDataElement) or last.length == UNDEFINED_LENGTH:
        return False
    return len(last.value or b"") < last.length


def _check_nesting(path: str, dataset: Dataset, limits: Limits) -> None:
    """Look into those sequences only that pydicom had to read: undefined length, so nested."""
    level = [dataset]
    for _ in range(limits.max_nesting + 1):
        level = [item for dataset in level for item in _items_read(dataset)]
        if not level:
            return
    raise _nested_too_deep(path)


def _items_read(dataset: Dataset) -> list[Dataset]:
    items: list[Dataset] = []
    for tag in dataset.keys():  # noqa: SIM118 (a Dataset iterates over converted elements)
        element = raw_element(dataset, tag)
        if isinstance(element, DataElement) and element.VR == "SQ":
            items.extend(element.value or ())
    return items


def _nested_too_deep(path: str) -> NestedTooDeep:
    return NestedTooDeep(path, "it has sequences within sequences beyond the limit", _ADVICE)


def _pixel_element(data: Data, at: int, is_implicit: bool, is_little: bool) -> PixelElement | None:
    """Read the head of the element at `at`, if it is one of pixels (PS3.5 section 7.1)."""
    head = data[at : at + 12]
    order: Any = "little" if is_little else "big"
    tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)
    if tag not in (FLOAT_PIXELS, DOUBLE_PIXELS, PIXELS):
        return None
    vr, start, length = "", 8, head[4:8]
    if not is_implicit:
        vr = head[4:6].decode("latin-1")
        start, length = (12, head[8:12]) if vr in ("OB", "OW", "OF", "OD", "UN") else (8, head[6:8])
    size = int.from_bytes(length, order)
    end = len(data) if size == UNDEFINED_LENGTH else at + start + size
    return PixelElement(tag=tag, vr=vr, value=memoryview(data)[at + start : end], length=size)
