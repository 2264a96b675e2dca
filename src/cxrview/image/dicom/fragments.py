"""Join the fragments of encapsulated Pixel Data to the first frame (PS3.5 annex A.4)."""

from dataclasses import dataclass

from cxrview.errors import CorruptPixels, NoPixelData, Truncated
from cxrview.image.dicom.frame import Ending

_ITEM = b"\xfe\xff\x00\xe0"
_ENDS = (b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd")
"""The sequence delimiter, also in the wrong byte order."""
_END_OF_IMAGE = b"\xff\xd9"
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")
"""First bytes of JPEG, JPEG-LS and JPEG 2000 streams."""
_MAX_FRAGMENTS = 1_000_000
"""Limit, since a file of empty fragments would exhaust memory; an hour of cine has 100,000."""
_MAX_SEARCHES = 1000
_NEAR = 8
"""Error of a length, in bytes, beyond which the rest of the data is searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragments:
    """A frame, joined from its fragments."""

    data: bytes
    """The codestream, perhaps with padding after it."""
    ending: Ending
    """What follows the frame in the file."""
    warnings: tuple[str, ...]


def join_first_frame(
    path: str, value: memoryview, frames: int, *, has_end_marker: bool
) -> Fragments:
    """Join the fragments of the first frame.

    Only the decoder can detect whether a frame is complete; it takes the reason from
    `Fragments.ending`.

    Args:
        path: for errors only.
        value: from the basic offset table to the sequence delimiter, or the end of the file.
        frames: number of frames by the header.
        has_end_marker: whether a codestream ends with FF D9, as all but RLE do.

    Raises:
        NoPixelData: the element is empty.
        Truncated: the file ends before the first fragment.
        CorruptPixels: the element does not consist of fragments.
    """
    split = _split(path, value)
    table, fragments = _offset_table(split.items)
    is_odd = split.is_odd or len(fragments) == len(split.items)
    if frames > 1:
        first = _by_table(fragments, table) or _until_end(fragments, has_end_marker)
    else:
        first = fragments
    ending = split.ending if len(first) == len(fragments) else Ending.CLOSED
    data = b"".join(first)
    if not data and ending in (Ending.CUT, Ending.OPEN):
        raise Truncated(path, "it ends before its pixels do")
    if not data:
        raise NoPixelData(path, "its pixel data are empty")
    if ending is Ending.CUT and has_end_marker and _END_OF_IMAGE in data[-64:]:
        ending = Ending.OPEN  # only the length of the last fragment is wrong
    return Fragments(data=data, ending=ending, warnings=("odd_fragments",) if is_odd else ())


@dataclass(slots=True)
class _Split:
    """The items of encapsulated pixels, including the offset table."""

    items: list[memoryview]
    ending: Ending = Ending.OPEN
    is_odd: bool = False


def _split(path: str, value: memoryview) -> _Split:
    split = _Split([])
    if _is_codestream(value):  # without items
        return _Split([memoryview(b""), value], is_odd=True)
    at = searches = 0
    while len(split.items) <= _MAX_FRAGMENTS:
        if ending := _ending(value, at):
            split.ending = ending
            return split
        tag = bytes(value[at : at + 4])
        if tag in _ENDS:
            split.ending, split.is_odd = Ending.CLOSED, split.is_odd or tag != _ENDS[0]
            return split
        if tag != _ITEM:
            return _broken_off(path, value, at, split)
        start = at + 8
        declared = start + int.from_bytes(value[at + 4 : start], "little")
        at = declared
        is_table = not split.items and not _is_codestream(value[start:])
        if not _is_boundary(value, declared) and not (is_table and declared <= len(value)):
            searches += 1
            found = _next_boundary(value, start, declared) if searches < _MAX_SEARCHES else None
            at = declared if found is None else found
            split.is_odd = True
        split.items.append(value[start:at])
        if at > len(value):
            split.ending = Ending.CUT
            return split
    raise CorruptPixels(path, "its pixel data are in too many fragments")


def _ending(value: memoryview, at: int) -> Ending | None:
    """Return the ending if there is one at `at` other than a delimiter: zeros, or end of file."""
    if at == len(value):
        return Ending.OPEN
    if len(value) - at < 4 and any(end.startswith(value[at:]) for end in _ENDS):
        return Ending.OPEN
    if at and not any(value[at : at + 8]) and not bytes(value[at:]).strip(b"\0"):
        return Ending.CLOSED
    if len(value) - at < 8 and _ITEM.startswith(value[at : at + 4]):
        return Ending.CUT
    return None


def _broken_off(path: str, value: memoryview, at: int, split: _Split) -> _Split:
    """Return the items up to a fragment without a header, or to other bytes."""
    if not split.items:
        raise CorruptPixels(path, "its pixel data are not in fragments")
    if not any(len(item) for item in split.items[1:]):
        for start in (at, at + 8):  # without a header, or after a broken one
            if _is_codestream(value[start:]):
                return _Split([split.items[0], value[start:]], is_odd=True)
        raise CorruptPixels(path, "its pixel data are not in fragments")
    split.ending, split.is_odd = Ending.GARBLED, True
    return split


def _is_codestream(value: memoryview) -> bool:
    return bytes(value[:4]).startswith(_STARTS)


def _is_boundary(value: memoryview, at: int) -> bool:
    """Whether a fragment may end here."""
    if bytes(value[at : at + 4]) in (_ITEM, *_ENDS):
        return True
    if len(value) - at < 8:  # or in the middle of the delimiter
        return at <= len(value) and not any(end in bytes(value[at - 8 :]) for end in _ENDS)
    return not any(value[at : at + 8])


def _next_boundary(value: memoryview, start: int, declared: int) -> int | None:
    """Find the end of a fragment of wrong length: fragments must follow from there to the end."""
    data = bytes(value[start:])
    for off in sorted(range(-_NEAR, _NEAR + 1), key=abs):
        at = declared + off
        if start <= at < len(value) - 4 and bytes(value[at : at + 4]) in (_ITEM, *_ENDS):
            return at
    at = data.find(_ITEM)
    while at >= 0:
        if _leads_to_end(value, start + at):
            return start + at
        at = data.find(_ITEM, at + 1)
    at = data.rfind(_ENDS[0] + b"\0\0\0\0")
    return start + at if at >= 0 and not data[at + 8 :].strip(b"\0") else None


def _leads_to_end(value: memoryview, at: int) -> bool:
    """Whether items follow each other from `at` to a delimiter or the end."""
    for _ in range(_MAX_SEARCHES):
        if _ending(value, at) in (Ending.OPEN, Ending.CLOSED):
            return True
        tag = bytes(value[at : at + 4])
        if tag in _ENDS:
            return True
        if tag != _ITEM:
            return False
        at += 8 + int.from_bytes(value[at + 4 : at + 8], "little")
        if at > len(value):
            return False
    return True


def _offset_table(items: list[memoryview]) -> tuple[bytes, list[memoryview]]:
    """Separate the offset table, which may be missing, from the fragments."""
    if not items:
        return b"", []
    first = items[0]
    is_rle = len(first) >= 64 and any(first[:4]) and bytes(first[4:8]) == b"\x40\0\0\0"
    if _is_codestream(first) or is_rle:
        return b"", items
    return bytes(first), items[1:]


def _by_table(items: list[memoryview], table: bytes) -> list[memoryview]:
    """Take the fragments before the second frame; none if the table is not valid."""
    if len(table) < 8 or any(table[:4]):
        return []
    second = int.from_bytes(table[4:8], "little")
    at = 0
    for k, fragment in enumerate(items):
        at += 8 + len(fragment)
        if at == second:
            return items[: k + 1]
    return []


def _until_end(items: list[memoryview], has_end_marker: bool) -> list[memoryview]:
    """Take the fragments up to the first one that ends a codestream."""
    for k, fragment in enumerate(items):
        if len(fragment) and (not has_end_marker or _END_OF_IMAGE in bytes(fragment[-16:])):
            return items[: k + 1]
    return items
