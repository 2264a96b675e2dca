"""Truncate a JPEG 2000 codestream after the resolutions that a reduced picture needs.

If packets are in the order of resolutions, the lower ones are at the beginning of the stream.
Their end is never guessed: the stream declares the lengths of packets (PLT) or tile-parts (TLM,
SOT), or `NeedsWholeFile` is raised.

Source: ITU-T T.800 annexes A (markers) and B.12 (progressions); PS3.5 section 10.18.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

_SOC, _SOT, _SOD, _EOC = b"\xff\x4f", b"\xff\x90", b"\xff\x93", b"\xff\xd9"
_SIZ, _COD, _TLM, _PLT = b"\xff\x51", b"\xff\x52", b"\xff\x55", b"\xff\x58"
_QCD, _QCC, _COM = b"\xff\x5c", b"\xff\x5d", b"\xff\x64"
_CAP, _PRF, _CPF, _RGN, _CRG = b"\xff\x50", b"\xff\x56", b"\xff\x59", b"\xff\x5e", b"\xff\x63"
# Other markers may change the order of packets, or move their headers.
_IN_MAIN = frozenset({_SIZ, _COD, _TLM, _QCD, _QCC, _COM, _CAP, _PRF, _CPF, _RGN, _CRG})
_IN_TILE_PART = frozenset({_PLT, _QCD, _QCC, _COM})
_LRCP, _RLCP, _RPCL = 0, 1, 2
_SOT_BYTES = 12
_MAX_SEGMENTS = 10_000


class NeedsWholeFile(Exception):
    """The end of the lower resolutions is not declared, so that the whole file must be read."""


class Stream(Protocol):
    """The bytes of a remote codestream, fetched as they are needed."""

    @property
    def length(self) -> int:
        """Return the length of the stream in bytes, by its container."""

    def take(self, start: int, stop: int) -> bytes:
        """Fetch up to `stop`, return the bytes from `start`; `NeedsWholeFile` beyond the end."""

    def tail(self, count: int) -> bytes:
        """Fetch the last `count` bytes only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Main:
    """The main header of a stream of one tile and one component."""

    header: bytes
    """Bytes from SOC to the first tile-part."""
    segments: tuple[tuple[int, int], ...]
    """Start and end of its marker segments."""
    packets: tuple[int, ...]
    """Number of packets of each resolution, the lowest first."""
    lengths: tuple[int, ...]
    """Lengths of all tile-parts, by TLM; empty if there is none."""
    style: int
    """Scod: bits 1 and 2 say that SOP and EPH markers enclose the head of each packet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _TilePart:
    header: bytes
    """Bytes from SOT to SOD, both included, without PLT."""
    count: int
    """Number of tile-parts; 0 if it is not given."""
    start: int
    """Length of its packets in bytes."""
    end: int
    packets: tuple[int, ...]
    """Length of each packet, by PLT; empty if there is none."""


def read_main(stream: Stream) -> Main:
    """Read the main header.

    Raises:
        NeedsWholeFile: it has more than one tile or component, or another order of packets.
    """
    if stream.take(0, 2) != _SOC:
        raise NeedsWholeFile
    found: dict[bytes, list[bytes]] = {}
    ends, at = [2], 2
    for marker, body, after in _segments(stream, 2, _SOT):
        if marker not in _IN_MAIN:
            raise NeedsWholeFile
        found.setdefault(marker, []).append(body)
        ends.append(after)
        at = after
    cod = _only(found, _COD)
    return Main(
        header=stream.take(0, at),
        segments=tuple(pairwise(ends)),
        packets=_count_packets(_only(found, _SIZ), cod),
        lengths=_tile_part_lengths(found.get(_TLM, [])),
        style=cod[0],
    )


def cut_stream(stream: Stream, main: Main, halvings: int, *, is_divided: bool) -> bytes:
    """Return only the part of a stream that its lower resolutions need.

    Args:
        stream: complete at its source.
        main: its main header.
        halvings: number of higher resolutions to leave out.
        is_divided: if there are as many tile-parts as resolutions, each holds one resolution.

    Returns:
        A stream of the same picture, in which the packets of the omitted resolutions are empty.

    Raises:
        NeedsWholeFile: the end of the lower resolutions is not declared, or contradictory.
    """
    wanted = len(main.packets) - halvings
    kept: list[bytes] = []
    at, have, enough = len(main.header), 0, sum(main.packets[:wanted])
    while have < enough:
        part = _read_tile_part(stream, at, len(kept), main)
        if part.packets:
            more = part.packets[: enough - have]
            have, end = have + len(more), part.start + sum(more)
        else:
            is_divided = is_divided and part.count == len(main.packets)
            # A tile-part holds one or more complete packets (T.800 section 3).
            missing = wanted - len(kept) if is_divided else enough - have
            _fetch_ahead(stream, main, part, len(kept), missing)
            have = sum(main.packets[: len(kept) + 1]) if is_divided else have + 1
            end = part.end
        kept.append(part.header + stream.take(part.start, end))
        at = part.end
    _check_end(stream, main, part, len(kept))
    kept[-1] += _empty_packets(main.style, have, sum(main.packets))
    return _without_tlm(main) + b"".join(_closed(kept)) + _EOC


def _segments(stream: Stream, at: int, last: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Iterate over marker segments up to the marker `last`: marker, body, start of the next."""
    for _ in range(_MAX_SEGMENTS):
        marker = stream.take(at, at + 2)
        if marker == last:
            return
        length = _number(stream.take(at + 2, at + 4))
        if length < 2:
            raise NeedsWholeFile
        yield marker, stream.take(at + 4, at + 2 + length), at + 2 + length
        at += 2 + length
    raise NeedsWholeFile


def _only(found: Mapping[bytes, list[bytes]], marker: bytes) -> bytes:
    bodies = found.get(marker, [])
    if len(bodies) != 1:
        raise NeedsWholeFile
    return bodies[0]


def _count_packets(siz: bytes, cod: bytes) -> tuple[int, ...]:
    """Count the packets of each resolution (T.800 A.5.1, A.6.1, B.6), of a picture of one tile."""
    columns, rows, left, top, width, height, x0, y0 = (
        _number(siz[k : k + 4]) for k in range(2, 34, 4)
    )
    is_one_tile = not (left or top or x0 or y0) and columns <= width and rows <= height
    if not is_one_tile or siz[34:36] != b"\0\1" or siz[37:] != b"\1\1" or len(cod) < 10:
        raise NeedsWholeFile
    order, layers, levels = cod[1], _number(cod[2:4]), cod[5]
    # With a single layer, LRCP is RLCP.
    if not (order in (_RLCP, _RPCL) or (order == _LRCP and layers == 1)) or levels > 32:
        raise NeedsWholeFile
    # Bit 0 of Scod: sizes of precincts follow, as two exponents for each resolution.
    precincts = cod[10:] if cod[0] & 1 else b"\xff" * (levels + 1)
    if len(precincts) != levels + 1 or not (layers and rows and columns):
        raise NeedsWholeFile
    counts = []
    for resolution, sizes in enumerate(precincts):
        across, down = (-(-length >> (levels - resolution)) for length in (columns, rows))
        counts.append(-(-across >> (sizes & 15)) * -(-down >> (sizes >> 4)) * layers)
    return tuple(counts)


def _tile_part_lengths(tlm: list[bytes]) -> tuple[int, ...]:
    """Read the lengths of tile-parts, in their order (T.800 A.7.1)."""
    lengths: list[int] = []
    for index, body in enumerate(tlm):
        if len(body) < 2 or body[0] != index:
            raise NeedsWholeFile
        of_tile, of_length = body[1] >> 4 & 3, 4 if body[1] & 0x40 else 2
        entry = of_tile + of_length
        if of_tile == 3 or (len(body) - 2) % entry:
            raise NeedsWholeFile
        for at in range(2, len(body), entry):
            if any(body[at : at + of_tile]):
                raise NeedsWholeFile
            lengths.append(_number(body[at + of_tile : at + entry]))
    return tuple(lengths)


def _read_tile_part(stream: Stream, at: int, index: int, main: Main) -> _TilePart:
    """Read the header of the tile-part that begins at `at` (T.800 A.4.2)."""
    sot = stream.take(at, at + _SOT_BYTES)
    length, count = _number(sot[6:10]), sot[11]
    if sot[:6] != _SOT + b"\0\x0a\0\0" or sot[10] != index or index > 254:
        raise NeedsWholeFile
    if main.lengths and main.lengths[index : index + 1] != (length,):
        raise NeedsWholeFile
    count = len(main.lengths) or count
    if sot[11] not in (0, count) or (count and count <= index):
        raise NeedsWholeFile
    header, lengths, start = sot, b"", at + _SOT_BYTES
    plt = 0
    for marker, body, after in _segments(stream, start, _SOD):
        if marker not in _IN_TILE_PART:
            raise NeedsWholeFile
        if marker == _PLT:
            if body[:1] != bytes([plt]):
                raise NeedsWholeFile
            plt, lengths = plt + 1, lengths + body[1:]
        else:
            header += stream.take(start, after)
        start = after
    part = _TilePart(
        header=header + _SOD,
        count=count,
        start=start + 2,
        end=at + length,
        packets=_packet_lengths(lengths),
    )
    _check_part(stream, main, part)
    return part


def _check_part(stream: Stream, main: Main, part: _TilePart) -> None:
    if not part.start < part.end <= stream.length:
        raise NeedsWholeFile
    if part.packets and sum(part.packets) != part.end - part.start:
        raise NeedsWholeFile
    if part.packets and part.count == 1 and len(part.packets) != sum(main.packets):
        raise NeedsWholeFile


def _packet_lengths(coded: bytes) -> tuple[int, ...]:
    """Decode lengths, seven bits a byte, bit 7 if more follow (T.800 A.7.3)."""
    lengths, length = [], 0
    for byte in coded:
        length = length << 7 | byte & 0x7F
        if not byte & 0x80:
            lengths.append(length)
            length = 0
    if coded and coded[-1] & 0x80:
        raise NeedsWholeFile
    return tuple(lengths)


def _fetch_ahead(stream: Stream, main: Main, part: _TilePart, index: int, missing: int) -> None:
    """Refuse too few tile-parts; fetch all if TLM declares lengths, else the next header."""
    if index + missing > part.count:
        raise NeedsWholeFile
    if main.lengths:
        stream.take(0, len(main.header) + sum(main.lengths[: index + missing]))
    else:
        stream.take(0, min(part.end + _SOT_BYTES + len(_SOD), stream.length))


def _check_end(stream: Stream, main: Main, last: _TilePart, kept: int) -> None:
    """Refuse a stream that is cut anywhere after the part that is kept."""
    if main.lengths:
        is_complete = len(main.header) + sum(main.lengths) + len(_EOC) <= stream.length
    elif kept == last.count:
        is_complete = last.end + len(_EOC) <= stream.length
    else:  # no other check detects a wrong length of the last part
        is_next = last.packets or stream.take(last.end, last.end + 2) == _SOT
        is_complete = bool(is_next) and _EOC in stream.tail(16)
    if not is_complete:
        raise NeedsWholeFile


def _without_tlm(main: Main) -> bytes:
    segments = [main.header[start:end] for start, end in main.segments]
    return _SOC + b"".join(segment for segment in segments if segment[:2] != _TLM)


def _empty_packets(style: int, first: int, stop: int) -> bytes:
    """Return empty packets, a bit 0 each (T.800 B.10.3), without which some decoders fail."""
    sop = [b"\xff\x91\0\x04" + (k & 0xFFFF).to_bytes(2) for k in range(first, stop)]
    eph = b"\xff\x92" if style & 4 else b""
    return b"".join((one if style & 2 else b"") + b"\0" + eph for one in sop)


def _closed(parts: list[bytes]) -> Iterator[bytes]:
    """Write the new length into each tile-part, and their number."""
    for part in parts:
        yield part[:6] + len(part).to_bytes(4) + part[10:11] + bytes([len(parts)]) + part[12:]


def _number(digits: bytes) -> int:
    return int.from_bytes(digits)
