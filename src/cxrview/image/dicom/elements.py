"""Read the values of DICOM elements from their raw bytes, without raising or quoting them.

pydicom's conversion raises errors or warnings that quote broken values. So the few elements that
are needed are read from the bytes.
"""

import math
import struct
import unicodedata
from typing import Literal

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from cxrview.image.dicom.tolerant_parse import MAX_ELEMENTS, has_odd_vr, read_first_item

LONGEST = 64
"""Maximum length of a text, that of LO and UI (PS3.5 section 6.2); the rest is cut off."""
_MOST_BYTES = 1 << 16
"""Bytes of a value that are converted to text or numbers. Real ones have a few hundred; a value of
a gigabyte would become a list of objects that takes ten times as much."""
_MOST_WORDS = 1 << 16
"""Entries of a lookup table: no more fit its descriptor (PS3.3 C.11.1.1)."""
_MOST_SEQUENCE_BYTES = 8 * MAX_ELEMENTS
"""Length of a sequence of defined length that pydicom may convert: within it there cannot be more
than `MAX_ELEMENTS` elements."""

_ENCODED = frozenset(["SH", "LO", "ST", "PN", "LT", "UC", "UT"])
_NOT_UID = "odd_uid"


ByteOrder = Literal["little", "big"]


class Header:
    """Reads one data set or sequence item."""

    def __init__(self, dataset: Dataset, *, is_little_endian: bool = True) -> None:
        self._dataset = dataset
        self.byte_order: ByteOrder = "little" if is_little_endian else "big"
        self.dataset = dataset

    def has(self, tag: int) -> bool:
        """Whether the element exists, with or without a value."""
        return tag in self._dataset

    def text(self, tag: int, longest: int = LONGEST) -> str:
        """Return a text without control characters and outer spaces, cut to `longest` characters.

        Several values stay joined by backslashes. Empty if the element is missing.
        """
        return clean(self._decode(tag))[:longest].rstrip()

    def uid(self, tag: int) -> tuple[str, tuple[str, ...]]:
        """Return a UID, cut to 64 characters, and the warning `odd_uid` if it was not valid."""
        uid = clean(self._decode(tag))
        if set(uid) <= set("0123456789.") and len(uid) <= LONGEST:
            return uid, ()
        if set(uid) <= set("0123456789."):
            return uid[:LONGEST], (_NOT_UID,)
        return "", (_NOT_UID,)

    def number(self, tag: int) -> int | None:
        """Return an integer, the first of several; None if there is none."""
        numbers = self.numbers(tag)
        return numbers[0] if numbers else None

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Return integers, written as binary numbers or as text; empty if there are none."""
        vr, raw = self._raw(tag)
        raw = raw[:_MOST_BYTES]
        if vr in ("", "UN"):
            vr = dictionary_VR(tag)  # implicit VR
        if vr in ("IS", "DS", "CS", "LO", "SH"):
            decimals = [self._decimal(part) for part in raw.split(b"\\")]
            return tuple(int(number) for number in decimals if number is not None)
        width = 4 if vr in ("UL", "SL") else 2
        return tuple(
            int.from_bytes(raw[k : k + width], self.byte_order, signed=vr in ("SS", "SL"))
            for k in range(0, len(raw) - width + 1, width)
        )

    def decimal(self, tag: int) -> float | None:
        """Return a decimal string (DS) as a number; None if it is missing or not a number."""
        return self._decimal(self._raw(tag)[1][:_MOST_BYTES].split(b"\\")[0])

    def raw(self, tag: int) -> bytes:
        """Return the bytes of the value as in the file."""
        return self._raw(tag)[1]

    def words(self, tag: int) -> tuple[int, ...]:
        """Return unsigned 16-bit words of a lookup table, at most 65,536, whatever the VR is."""
        raw = self.raw(tag)[: 2 * _MOST_WORDS]
        order = "<" if self.byte_order == "little" else ">"
        return struct.unpack(f"{order}{len(raw) // 2}H", raw[: len(raw) // 2 * 2])

    def first_item(self, tag: int) -> "Header | None":
        """Return the first item of a sequence; None if there is none, or it cannot be read."""
        if tag not in self._dataset:
            return None
        before = raw_element(self._dataset, tag)
        try:
            items = None if _is_huge(before) else self._dataset[tag].value
            item = items[0] if items else None
        except (MemoryError, RecursionError):
            raise
        except Exception:  # a broken sequence can raise anything in pydicom
            item = None
        if isinstance(before, RawDataElement) and (
            not isinstance(item, Dataset) or has_odd_vr(item, is_implicit=before.is_implicit_VR)
        ):
            item = self._tolerantly(before)
        if not isinstance(item, Dataset):
            return None
        return Header(item, is_little_endian=self.byte_order == "little")

    def _tolerantly(self, sequence: RawDataElement) -> Dataset | None:
        if not isinstance(sequence.value, bytes):
            return None
        return read_first_item(sequence.value, is_little_endian=self.byte_order == "little")

    def _decode(self, tag: int) -> str:
        vr, raw = self._raw(tag)
        raw = raw[:_MOST_BYTES]
        if not raw or raw.isascii():
            return raw.decode("ascii")
        if vr not in _ENCODED and vr not in ("", "UN"):
            return raw.decode("latin-1")
        try:
            names = self._raw(0x00080005)[1].decode("latin-1").split("\\")
            encodings = convert_encodings([name.strip("\0 ") for name in names])
            return decode_bytes(raw, encodings, {0x0D, 0x0A, 0x09, 0x0C, 0x5C})
        except Exception:  # an unknown character set, or bytes that do not belong to it
            return raw.decode("latin-1")

    def _raw(self, tag: int) -> tuple[str, bytes]:
        element = raw_element(self._dataset, tag)
        value = element.value if element is not None else None
        if isinstance(value, bytes) and element is not None:
            return element.VR or "", value
        if value is None or isinstance(value, Dataset) or element is None or element.VR == "SQ":
            return "", b""
        # pydicom has already converted it, as it does with some elements.
        parts = value if isinstance(value, MultiValue | list | tuple) else [value]
        return "LO", "\\".join(str(part) for part in parts).encode("utf-8", "replace")

    @staticmethod
    def _decimal(raw: bytes) -> float | None:
        try:
            number = float(raw.decode("ascii").strip("\0 "))
        except ValueError:
            return None
        return number if math.isfinite(number) else None


def _is_huge(element: RawDataElement | DataElement | None) -> bool:
    """Whether a sequence is too long to be converted to data sets at once."""
    return isinstance(element, RawDataElement) and (element.length or 0) > _MOST_SEQUENCE_BYTES


def raw_element(dataset: Dataset, tag: int) -> RawDataElement | DataElement | None:
    """Return an element as it was read; None if it is missing or cannot be converted."""
    if tag not in dataset:
        return None
    try:
        element = dataset.get_item(tag)
    except (MemoryError, RecursionError):
        raise
    except Exception:  # get_item converts elements without a value, and fails on some VRs
        return None
    return element if isinstance(element, RawDataElement | DataElement) else None


def clean(text: str) -> str:
    """Drop control, format and unpaired characters (Unicode category C) and outer spaces."""
    kept = "".join(c for c in text if unicodedata.category(c)[0] != "C")
    return kept.strip()
