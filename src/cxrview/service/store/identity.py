"""The identity of an object: what makes two arrivals the same image."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cxrview.errors import UnreadableImage
from cxrview.writeback.element_spans import Incomplete
from cxrview.writeback.header import Header, parse_header, quiet_pydicom

_FIRST_BYTES = 1 << 16
_MOST_HEADER_BYTES = 1 << 24
_EMPTY_PIXEL_DATA = (
    b"\xe0\x7f\x10\x00OW" + bytes(6),
    b"\xe0\x7f\x10\x00" + bytes(4),
    b"\x7f\xe0\x00\x10OW" + bytes(6),
)
"""The end of the header as `parse_header` looks for it: explicit, implicit, and big endian."""
_SOP_CLASS, _SOP_INSTANCE, _MODALITY = 0x00080016, 0x00080018, 0x00080060


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What the store records of an object; texts are empty where the header lacks them."""

    digest: str
    """SHA-256 of the transfer syntax and the data set. The file meta information is left out,
    since C-STORE, STOW and WADO each write their own for the same image."""
    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    modality: str = ""
    transfer_syntax: str = ""


def identify(path: Path) -> Identity:
    """Read the identity of a file; its pixels are not decoded.

    A file whose header cannot be read gets the digest of all its bytes.

    Raises:
        OSError: the file cannot be read.
    """
    with quiet_pydicom():
        header = _header_of(path)
    if header is None:
        return Identity(digest=_digest(path, 0, b""))
    start = _start_of_data_set(header)
    syntax = str(header.transfer_syntax)
    return Identity(
        digest=_digest(path, start, syntax.encode("latin-1", "replace") + b"\0"),
        sop_class_uid=_text(header, _SOP_CLASS),
        sop_instance_uid=_text(header, _SOP_INSTANCE),
        modality=_text(header, _MODALITY),
        transfer_syntax=syntax,
    )


def _header_of(path: Path) -> Header | None:
    """The elements before Pixel Data; None if they cannot be read."""
    length = _FIRST_BYTES
    size = path.stat().st_size
    while True:
        with path.open("rb") as file:
            data = file.read(length)
        is_all = len(data) == size
        try:
            return parse_header("", data, is_all=is_all)
        except Incomplete:
            length *= 16
            if length > _MOST_HEADER_BYTES:
                return None
        except UnreadableImage:
            return _header_without_pixels(data) if is_all else None


def _header_without_pixels(data: bytes) -> Header | None:
    """The elements of an object that has no Pixel Data, such as a report."""
    for pixel_data in _EMPTY_PIXEL_DATA:
        with suppress(UnreadableImage):
            return parse_header("", data + pixel_data, is_all=True)
    return None


def _start_of_data_set(header: Header) -> int:
    if header.is_deflated:
        return 0  # the spans are those of the inflated data
    return min((begin for begin, _ in header.spans.values()), default=0)


def _text(header: Header, tag: int) -> str:
    """A short text value."""
    if tag not in header.spans:
        return ""
    begin, end = header.spans[tag]
    # Of an element with a short representation, and of an implicit one, the head has 8 bytes.
    value = header.data[begin + 8 : end]
    return value.decode("latin-1").strip("\0 ")[:64]


def _digest(path: Path, start: int, prefix: bytes) -> str:
    digest = hashlib.sha256(prefix)
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
