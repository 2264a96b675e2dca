"""Damaged and unusual files, and the expected result of reading each.

A damage takes a valid data set with native little-endian pixels and gives a file's bytes.
"""

import copy
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from cxrview.phantom.corrupt_bytes import (
    cut_to,
    executable_preamble,
    flip,
    inflate_bomb,
    lying_length,
    nested,
    odd_length,
    unknown_charset,
    without_meta,
    without_preamble,
    wrong_group_length,
    wrong_vr,
)
from cxrview.phantom.dicom import to_bytes
from cxrview.phantom.encode import find_syntax
from cxrview.phantom.odd_pixels import ODD_PIXELS, float_pixels, stored_pixels

READABLE = "readable"
"""Expected for an unusual file whose image can be read."""
Breaks = Callable[[Dataset], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One kind of damage."""

    name: str
    what: str
    """One line."""
    expected: frozenset[str]
    """`READABLE` or codes of `cxrview.errors`; each of them is correct for this file."""
    apply: Breaks
    """Takes a valid data set, which is not changed; gives the bytes of the damaged file."""


def _changed(change: Callable[[Dataset], object]) -> Breaks:
    def apply(dataset: Dataset) -> bytes:
        altered = copy.deepcopy(dataset)
        change(altered)
        return to_bytes(altered)

    return apply


def _sets(**values: object) -> Breaks:
    """Set elements to values without validation, since most are not allowed."""

    def change(dataset: Dataset) -> None:
        for keyword, value in values.items():
            vr = dictionary_VR(keyword)
            dataset[keyword] = DataElement(keyword, vr, value, validation_mode=IGNORE)

    return _changed(change)


def _lacks(keyword: str) -> Breaks:
    return _changed(lambda dataset: delattr(dataset, keyword))


def _bytes(change: Callable[[bytes], bytes]) -> Breaks:
    return lambda dataset: change(to_bytes(dataset))


def _syntax(uid: str) -> Breaks:
    """Write another transfer syntax into the meta information, which pydicom would correct."""

    def apply(dataset: Dataset) -> bytes:
        old = str(dataset.file_meta.TransferSyntaxUID).encode()
        old += b"\0" * (len(old) % 2)
        return to_bytes(dataset).replace(old, uid.encode().ljust(len(old), b"\0"), 1)

    return apply


def _stream(change: Callable[[bytes], bytes], fragments: int = 1) -> Breaks:
    """Damage the stream of an image that is compressed as JPEG lossless."""

    def apply(dataset: Dataset) -> bytes:
        altered = copy.deepcopy(dataset)
        syntax = find_syntax("jpeg-lossless")
        altered.file_meta.TransferSyntaxUID = UID(syntax.uid)
        stream = change(compressed(dataset))
        altered.PixelData = encapsulate([stream], fragments_per_frame=fragments)
        altered["PixelData"].VR = "OB"
        return to_bytes(altered)

    return apply


def compressed(dataset: Dataset) -> bytes:
    """Compress a data set's native pixels as JPEG lossless."""
    encode = find_syntax("jpeg-lossless").encode
    assert encode is not None
    return encode(stored_pixels(dataset), int(dataset.BitsStored))


def _renamed_picture(dataset: Dataset) -> bytes:
    bits = int(dataset.BitsStored)
    grey = (stored_pixels(dataset) >> max(bits - 8, 0)).astype(np.uint8)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "JPEG", quality=90)
    return file.getvalue()


def _bomb(dataset: Dataset) -> bytes:
    altered = copy.deepcopy(dataset)
    altered.file_meta.TransferSyntaxUID = UID(find_syntax("deflated").uid)
    return inflate_bomb(to_bytes(altered))


def _empty_fragment(dataset: Dataset) -> bytes:
    altered = copy.deepcopy(dataset)
    altered.file_meta.TransferSyntaxUID = UID(find_syntax("jpeg-lossless").uid)
    no_offsets = no_bytes = b"\xfe\xff\x00\xe0" + bytes(4)
    altered.PixelData = no_offsets + no_bytes
    altered["PixelData"].VR = "OB"
    return to_bytes(altered)


def _garbage_window(dataset: Dataset) -> bytes:
    return _sets(WindowCenter="-98765")(dataset).replace(b"-98765", b"bright", 1)


def _always(content: bytes) -> Breaks:
    return lambda dataset: content


_TEXT = b"<!DOCTYPE html>\n<title>Not found</title>\n<p>The radiograph is not here.\n" * 40
_READ = frozenset({READABLE})


def _codes(*codes: str) -> frozenset[str]:
    return frozenset(codes)


_ROWS: tuple[tuple[str, str, frozenset[str], Breaks], ...] = (
    ("empty", "an empty file", _codes("empty_file"), _always(b"")),
    ("one-byte", "a single byte", _codes("not_an_image"), _always(b"D")),
    ("zeros", "a megabyte of zeros", _codes("not_an_image"), _always(bytes(1_000_000))),
    ("random", "random bytes", _codes("not_an_image"),
     lambda dataset: np.random.default_rng(5).bytes(20_000)),
    ("text", "a web page with the name of an image", _codes("not_an_image"), _always(_TEXT)),
    ("renamed-jpeg", "a JPEG file with the name of a DICOM file", _READ, _renamed_picture),
    ("truncated", "the last two fifths are missing", _codes("truncated"), _bytes(cut_to(0.6))),
    ("truncated-header", "ends within the header", _codes("truncated", "corrupt_header"),
     _bytes(lambda whole: whole[:700])),
    ("truncated-stream", "JPEG lossless that ends too early, correctly encapsulated",
     _codes("truncated", "corrupt_pixels"), _stream(cut_to(0.5))),
    ("flipped-stream", "400 bytes of a JPEG lossless stream changed",
     _codes(READABLE, "corrupt_pixels", "truncated"), _stream(flip)),
    ("empty-fragment", "empty compressed pixels",
     _codes("corrupt_pixels", "truncated", "no_pixel_data"), _empty_fragment),
    ("two-fragments", "one frame in two fragments", _READ, _stream(bytes, fragments=2)),
    ("flipped", "400 bytes of native pixels changed", _READ, _bytes(flip)),
    ("no-preamble", "starts with the meta information", _codes(READABLE, "not_an_image"),
     _bytes(without_preamble)),
    ("no-meta", "starts with the data set",
     _codes(READABLE, "not_an_image", "corrupt_header"), _bytes(without_meta)),
    ("group-length", "wrong length of the meta information",
     _codes(READABLE, "corrupt_header"), _bytes(wrong_group_length)),
    ("executable", "the preamble is the header of a Windows program", _READ,
     _bytes(executable_preamble)),
    ("trailing-bytes", "100 kB of zeros after the end", _READ,
     _bytes(lambda whole: whole + bytes(100_000))),
    ("unknown-syntax", "a transfer syntax that does not exist", _codes("unsupported"),
     _syntax("1.2.840.10008.9.9")),
    ("no-syntax", "Transfer Syntax UID empty", _codes(READABLE, "corrupt_header", "unsupported"),
     _syntax("")),
    ("wrong-vr", "Rows has a wrong value representation",
     _codes(READABLE, "corrupt_header"), _bytes(wrong_vr)),
    ("lying-length", "an element claims 2 GB", _codes(READABLE, "truncated", "corrupt_header"),
     _bytes(lying_length)),
    ("nested", "sequences 300 deep", _codes("nested_too_deep", READABLE), _bytes(nested(300))),
    ("nested-deeper", "sequences 20,000 deep", _codes("nested_too_deep"), _bytes(nested(20_000))),
    ("deflate-bomb", "400 MB of zeros deflated to half a megabyte", _codes("too_large"), _bomb),
    ("rows-zero", "Rows 0", _codes("corrupt_header"), _sets(Rows=0)),
    ("rows-missing", "no Rows", _codes("corrupt_header"), _lacks("Rows")),
    ("rows-huge", "Rows and Columns 65535", _codes("truncated", "too_large", "corrupt_header"),
     _sets(Rows=65535, Columns=65535)),
    ("frames-huge", "2,000,000 frames", _codes(READABLE, "truncated", "too_large"),
     _sets(NumberOfFrames=2_000_000)),
    ("bits-stored-zero", "Bits Stored 0", _codes("corrupt_header"), _sets(BitsStored=0)),
    ("bits-stored-many", "Bits Stored above Bits Allocated", _codes("corrupt_header"),
     _sets(BitsStored=24, HighBit=23)),
    ("samples-two", "two samples per pixel", _codes("corrupt_header", "unsupported"),
     _sets(SamplesPerPixel=2)),
    ("no-photometric", "no Photometric Interpretation", _codes("corrupt_header", READABLE),
     _lacks("PhotometricInterpretation")),
    ("window-zero", "Window Width 0", _READ, _sets(WindowWidth="0")),
    ("window-garbage", "Window Center is not a number", _READ, _garbage_window),
    ("slope-zero", "Rescale Slope 0", _codes(READABLE, "corrupt_header"),
     _sets(RescaleSlope="0", RescaleIntercept="0")),
    ("bad-charset", "a character set that does not exist", _READ,
     _bytes(unknown_charset)),
    ("hostile-id", "a patient's id with ../", _READ,
     _sets(PatientID="../../../etc/phantom\0\n")),
    ("long-id", "a patient's id of 10,000 letters", _READ, _sets(PatientID="P" * 10_000)),
    ("no-pixels", "no Pixel Data", _codes("no_pixel_data", "truncated"), _lacks("PixelData")),
    ("empty-pixels", "empty Pixel Data", _codes("no_pixel_data", "truncated"),
     _sets(PixelData=b"")),
    ("odd-length", "native pixels one byte short", _codes("truncated", READABLE),
     _bytes(odd_length)),
    ("float-pixels", "Float Pixel Data", _codes(READABLE, "unsupported", "no_pixel_data"),
     _changed(float_pixels)),
    *((name, what, _READ, _changed(change)) for name, (what, change) in ODD_PIXELS.items()),
)  # fmt: skip

DAMAGES: dict[str, Damage] = {
    name: Damage(name=name, what=what, expected=expected, apply=apply)
    for name, what, expected, apply in _ROWS
}
"""All kinds of damage by name."""
