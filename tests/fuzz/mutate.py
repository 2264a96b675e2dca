"""Damages the bytes of a file at random: the same seed and number give the same bytes.

Half of the changes are blind (bits, bytes, cuts, splices). The others know where the format keeps
a length or a value: elements of DICOM, chunks of PNG, segments of JPEG, entries of TIFF. Blind
changes alone would nearly always hit pixels.
"""

import random
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

EXTREMES = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF)
"""Values at which a length or a count is likely to be handled wrongly, of any width."""
WIDE_EXTREMES = (0x10000, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
"""The same, of 32 bits."""
_LONG_VRS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT")
_VRS = (*_LONG_VRS, b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO")
_MAX_FIELDS = 500
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Field:
    """Bytes of a file that mean something to its reader."""

    start: int
    width: int
    """Number of bytes."""
    kind: str
    """length, value, vr, tag or name."""
    is_little: bool = True


def mutate(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """Damage a file once to four times.

    Args:
        data: a sound file, not empty.
        others: files that parts are taken from.
        rng: decides; the same state gives the same bytes.
    """
    for _ in range(rng.choice((1, 1, 2, 3, 4))):
        change = rng.choice(_CHANGES)
        data = change(data, others, rng) or data
    if data.startswith(b"\x89PNG") and rng.random() < 0.5:
        data = with_valid_checksums(data)
    return data


def _flip_bits(data: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 64))):
        changed[_place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _overwrite(data: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    at, count = _place(data, rng), rng.choice((1, 2, 4, 16, 256))
    filling = rng.choice((bytes(count), b"\xff" * count, rng.randbytes(count)))
    return data[:at] + filling[: len(data) - at] + data[at + count :]


def _cut_end(data: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    return data[: _place(data, rng)]


def _cut_out(data: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + data[at + rng.choice((1, 2, 8, 100, 5000)) :]


def _repeat(data: bytes, _others: Sequence[bytes], rng: random.Random) -> bytes:
    at, count = _place(data, rng), rng.choice((1, 8, 100, 5000))
    return data[: at + count] + data[at : at + count] * rng.choice((1, 2, 20)) + data[at + count :]


def _splice(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others) if others else data
    if not other:
        return data
    at, start = _place(data, rng), _place(other, rng)
    part = other[start : start + rng.choice((8, 100, 2000, len(other)))]
    return data[:at] + part + data[at + rng.choice((0, len(part))) :]


def _set_field(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    fields = find_fields(data)
    if not fields:
        return _flip_bits(data, others, rng)
    field = rng.choice(fields)
    return data[: field.start] + _value(data, field, rng) + data[field.start + field.width :]


def _value(data: bytes, field: Field, rng: random.Random) -> bytes:
    if field.kind == "vr":
        return rng.choice((*_VRS, rng.randbytes(2)))
    if field.kind == "value" and rng.random() < 0.3:
        return rng.randbytes(field.width)
    old = data[field.start : field.start + field.width]
    order = "little" if field.is_little else "big"
    if field.width > 8:
        return rng.choice((bytes(len(old)), b"9" * len(old), b"\\" * len(old), old[::-1]))
    number = int.from_bytes(old, order)
    number = rng.choice((rng.choice(EXTREMES), rng.choice(WIDE_EXTREMES), number ^ 1, 2 * number))
    return (number % (1 << (8 * field.width))).to_bytes(field.width, order)


_CHANGES: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    _flip_bits,
    _overwrite,
    _cut_end,
    _cut_out,
    _repeat,
    _splice,
    *(_set_field,) * 6,
)


def _place(data: bytes, rng: random.Random) -> int:
    """Choose a position, half of the time in the head, where the header is."""
    return rng.randrange(max(1, min(len(data), _HEAD if rng.random() < 0.5 else len(data))))


def find_fields(data: bytes) -> list[Field]:
    """List lengths, values and names in the first part of a file, of any known format."""
    found: list[Field] = []
    for field in _fields(data):
        if field.start + field.width <= len(data) and field.width:
            found.append(field)
        if len(found) >= _MAX_FIELDS:
            break
    return found


def _fields(data: bytes) -> Iterator[Field]:
    if data[128:132] == b"DICM":
        yield from _dicom_fields(data)
    elif data.startswith(b"\x89PNG"):
        yield from _png_fields(data)
    elif data.startswith(b"\xff\xd8"):
        yield from _jpeg_fields(data, 0)
    elif data[:4] in (b"II*\0", b"MM\0*"):
        yield from _tiff_fields(data)


def _dicom_fields(data: bytes) -> Iterator[Field]:
    """Tags, VRs, lengths and values of elements, entering sequences (PS3.5 section 7)."""
    at = 132
    while at + 8 <= len(data):
        tag, vr = data[at : at + 4], data[at + 4 : at + 6]
        yield Field(at, 4, "tag")
        if tag[:2] == b"\xfe\xff" or not vr.isalpha() or not vr.isupper():
            start, width = at + 8, 4
            yield Field(at + 4, 4, "length")
        else:
            yield Field(at + 4, 2, "vr")
            width = 4 if vr in _LONG_VRS else 2
            start = at + (12 if vr in _LONG_VRS else 8)
            yield Field(start - width, width, "length")
        length = int.from_bytes(data[start - width : start], "little")
        is_entered = tag[:2] == b"\xfe\xff" or vr == b"SQ" or length == 0xFFFFFFFF
        if tag == b"\xe0\x7f\x10\x00" or tag == b"\xfe\xff\x00\xe0":
            yield from _stream_fields(data, start)
        if not is_entered:
            yield Field(start, min(length, 64), "value")
        at = start if is_entered else start + length


def _stream_fields(data: bytes, start: int) -> Iterator[Field]:
    """Header of a codestream in a fragment: JPEG, JPEG 2000 or the segments of RLE."""
    if data[start : start + 2] == b"\xff\xd8":
        yield from _jpeg_fields(data, start)
    elif data[start : start + 4] == b"\xff\x4f\xff\x51":
        yield from (Field(start + k, 4, "value", False) for k in range(8, 40, 4))
        yield from _jpeg_fields(data, start)
    elif data[start + 4 : start + 8] == b"\x40\0\0\0":
        yield from (Field(start + k, 4, "length") for k in range(0, 64, 4))


def _jpeg_fields(data: bytes, start: int) -> Iterator[Field]:
    at = start + 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield Field(at, 2, "tag", False)
        yield Field(at + 2, 2, "length", False)
        yield from (Field(at + 4 + k, 1, "value") for k in range(min(length - 2, 20)))
        if data[at + 1] in (0xDA, 0x93):
            return
        at += 2 + length


def _png_fields(data: bytes) -> Iterator[Field]:
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield Field(at, 4, "length", False)
        yield Field(at + 4, 4, "name", False)
        if data[at + 4 : at + 8] == b"IHDR":
            yield from (Field(at + 8 + k, 4, "value", False) for k in (0, 4))
            yield from (Field(at + 16 + k, 1, "value") for k in range(5))
        else:
            yield Field(at + 8, min(length, 16), "value")
        at += 12 + length


def _tiff_fields(data: bytes) -> Iterator[Field]:
    """Offsets of directories, and tag, type, count and value of each entry (TIFF 6.0 page 14)."""
    is_little = data[:1] == b"I"
    order = "little" if is_little else "big"
    yield Field(4, 4, "length", is_little)
    start = int.from_bytes(data[4:8], order)
    for _ in range(8):
        count = int.from_bytes(data[start : start + 2], order)
        yield Field(start, 2, "length", is_little)
        for at in range(start + 2, min(start + 2 + 12 * count, len(data)), 12):
            yield from (Field(at + k, 2, "tag", is_little) for k in (0, 2))
            yield from (Field(at + k, 4, "length", is_little) for k in (4, 8))
        end = start + 2 + 12 * count
        yield Field(end, 4, "length", is_little)
        start = int.from_bytes(data[end : end + 4], order)
        if not start or start >= len(data):
            return


def with_valid_checksums(data: bytes) -> bytes:
    """Correct the checksum of every chunk of a PNG, so that its content is read."""
    changed, at = bytearray(data), 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        changed[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return bytes(changed)
