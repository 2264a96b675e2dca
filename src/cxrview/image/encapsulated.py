"""The first frame out of encapsulated pixels (PS3.5 annex A.4)."""

from collections.abc import Iterator

from cxrview.errors import CorruptPixels, NoPixelData, Truncated

_ITEM = b"\xfe\xff\x00\xe0"
_END = b"\xfe\xff\xdd\xe0"
_END_OF_IMAGE = b"\xff\xd9"
_MOST_FRAGMENTS = 1_000_000
"""So that no file fills the memory with empty ones; a film of an hour has 100,000."""
_ADVICE = "Copy or export it again"


def first_frame(path: str, value: memoryview, frames: int, *, has_end_marker: bool) -> bytes:
    """Join the fragments of the first frame.

    Args:
        path: for errors only.
        value: from the basic offset table to the sequence delimiter, or the end of the file.
        frames: how many there are by the header.
        has_end_marker: whether a codestream closes with FF D9, as all but RLE do.

    Returns:
        The codestream, perhaps with padding behind it.

    Raises:
        NoPixelData: there is no fragment.
        Truncated: the file ends within a fragment that is needed.
        CorruptPixels: there is something between the fragments.
    """
    table, *items = list(_items(path, value)) or [memoryview(b"")]
    fragments = items
    if frames > 1:
        fragments = _by_table(items, bytes(table)) or _until_end(items, has_end_marker)
    fragments = [fragment for fragment in fragments if len(fragment)]
    if not fragments:
        raise NoPixelData(path, "its pixel data are empty", _ADVICE)
    return b"".join(fragments)


def _items(path: str, value: memoryview) -> Iterator[memoryview]:
    at = 0
    for _ in range(_MOST_FRAGMENTS):
        tag = value[at : at + 4]
        if tag == _END:
            return
        if len(value) - at < 8:
            if at and not any(value[at:]):
                return  # every fragment is whole, only the delimiter is not
            raise Truncated(path, "it ends before its pixels do", _ADVICE)
        if tag != _ITEM:
            raise CorruptPixels(path, "its pixel data are not in fragments", _ADVICE)
        length = int.from_bytes(value[at + 4 : at + 8], "little")
        if length > len(value) - at - 8:
            raise Truncated(path, "it ends before its pixels do", _ADVICE)
        yield value[at + 8 : at + 8 + length]
        at += 8 + length
    raise CorruptPixels(path, "its pixel data are in too many fragments", _ADVICE)


def _by_table(items: list[memoryview], table: bytes) -> list[memoryview]:
    """Take the fragments before the second frame; none where the table cannot be believed."""
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
    """Take the fragments up to the first that closes a codestream."""
    for k, fragment in enumerate(items):
        if len(fragment) and (not has_end_marker or _END_OF_IMAGE in bytes(fragment[-16:])):
            return items[: k + 1]
    return items
