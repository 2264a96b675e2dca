"""Encode the few elements that a correction writes; what pydicom read and did not convert stays.

Source: PS3.5 section 7.1 (elements), 7.5.2 (items of defined length), PS3.10 section 7.1 (file meta
information).
"""

from struct import Struct

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from cxrview.writeback.element_spans import LONG_VRS, UNDEFINED

IMPLEMENTATION_CLASS_UID = "2.25.283745081823098419105316843302876519157"
"""Of cxrview, for the file meta information."""
_PREAMBLE = b"\0" * 128 + b"DICM"
_ITEM = 0xFFFEE000
_SEQUENCE_END = 0xFFFEE0DD


class ElementEncoder:
    """Encodes elements.

    Args:
        is_implicit: without their value representation.
        is_little: with little endian numbers.
    """

    def __init__(self, *, is_implicit: bool, is_little: bool) -> None:
        order = "<" if is_little else ">"
        self._is_implicit = is_implicit
        self._implicit = Struct(f"{order}HHI").pack
        self._short, self._long = Struct(f"{order}HH2sH").pack, Struct(f"{order}HH2s2xI").pack

    def by_tag(self, dataset: Dataset) -> dict[int, bytes]:
        """Encode each element of a data set.

        Args:
            dataset: texts in ASCII, sequences, and elements that pydicom has not converted.

        Raises:
            ValueError: an element is something else, or too long.
        """
        elements = (dataset.get_item(tag) for tag in sorted(dataset.keys()))
        return {int(one.tag): self._element(one) for one in elements}

    def element(self, tag: int, vr: str, value: bytes) -> bytes:
        """Encode one element from the bytes of its value."""
        return self._head(tag, vr.encode(), len(value)) + value

    def _element(self, element: DataElement | RawDataElement) -> bytes:
        # Items of a sequence that is stored as UN have no value representations (PS3.5 6.2.2).
        tag, vr = int(element.tag), (element.VR or "UN").encode()
        if isinstance(element, RawDataElement):
            value = element.value or b""
            if element.length == UNDEFINED:
                end = self._implicit(_SEQUENCE_END >> 16, _SEQUENCE_END & 0xFFFF, 0)
                return self._head(tag, vr, UNDEFINED) + value + end
        elif vr == b"SQ":
            value = b"".join(map(self._item, element.value))
        else:
            value = encode_text(element.value, vr)
        return self._head(tag, vr, len(value)) + value

    def _item(self, item: Dataset) -> bytes:
        value = b"".join(self.by_tag(item).values())
        return self._implicit(_ITEM >> 16, _ITEM & 0xFFFF, len(value)) + value

    def _head(self, tag: int, vr: bytes, length: int) -> bytes:
        if self._is_implicit:
            return self._implicit(tag >> 16, tag & 0xFFFF, length)
        if vr in LONG_VRS:
            return self._long(tag >> 16, tag & 0xFFFF, vr, length)
        if length >= 1 << 16:
            raise ValueError("the value is too long for its representation")
        return self._short(tag >> 16, tag & 0xFFFF, vr, length)


def encode_text(value: object, vr: bytes) -> bytes:
    """Encode a text, or several, padded to an even length.

    Raises:
        ValueError: it is not ASCII, or not a text.
    """
    text = "\\".join(value) if isinstance(value, MultiValue | list) else value or ""
    if not isinstance(text, str):
        raise ValueError("not a text")
    encoded = text.encode("ascii")
    return encoded + (b"\0" if vr == b"UI" else b" ") * (len(encoded) % 2)


def encode_meta(syntax: str, sop_class: str, sop_instance: str) -> bytes:
    """Encode a preamble of zeros and the file meta information."""
    encode = ElementEncoder(is_implicit=False, is_little=True).element
    elements = encode(0x00020001, "OB", b"\0\1") + b"".join(
        encode(tag, vr, encode_text(text, vr.encode()))
        for tag, vr, text in (
            (0x00020002, "UI", sop_class),
            (0x00020003, "UI", sop_instance),
            (0x00020010, "UI", syntax),
            (0x00020012, "UI", IMPLEMENTATION_CLASS_UID),
            (0x00020013, "SH", "CXRVIEW"),
        )
    )
    return _PREAMBLE + encode(0x00020000, "UL", len(elements).to_bytes(4, "little")) + elements
