"""Read the headers of JPEG and JPEG 2000 codestreams, before a decoder allocates memory."""

from dataclasses import dataclass

_SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
_END = b"\xff\xd9"
# Limits on the time that a malformed stream takes: real ones have dozens, and thousands.
_MAX_SEGMENTS, _MAX_TILE_PARTS = 10_000, 1_000_000
_BLANK = 64
"""Zeros in a row with which a complete codestream never ends."""
_J2K_START = b"\xff\x4f\xff\x51"
_JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_MAX_BOXES = 1000
MAX_PRECINCTS = 1 << 20
"""Limit on the parts of a JPEG 2000 stream. A radiograph of 6,000 x 6,000 pixels in precincts of
64 x 64 has 12,000. OpenJPEG takes about two kilobytes for each: a stream of 342 bytes, of 2,048 x
2,048 pixels in precincts of 2 x 2, took 2.3 GB and 24 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodestreamSize:
    """Size and bit depth by the codestream."""

    rows: int
    columns: int
    samples: int
    precision: int
    """Bits of a sample."""
    is_luma_first: bool = False
    """The samples are YCbCr by a JFIF or Adobe marker."""
    is_rgb: bool = False
    """The samples are RGB by an Adobe marker or by the names of the components."""
    is_signed: bool = False
    is_offset: bool = False
    """The picture does not begin at the origin of its grid (JPEG 2000 only)."""
    scan_start: int = 0
    """Start of the entropy-coded data."""


def jpeg_size(data: bytes) -> CodestreamSize | None:
    """Read the frame header of JPEG (ITU-T T.81 B.2.2) or JPEG-LS (T.87 C.1.1).

    Returns:
        None if there is none, or it is cut.
    """
    at, found, is_luma_first, is_rgb = 2, None, False, False
    for _ in range(_MAX_SEGMENTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill bytes may precede any marker
            at += 1
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if marker == 0xDA:
            return _with_scan(found, is_luma_first, is_rgb, at + 2 + length)
        if marker in _SIZE_MARKERS and len(segment) >= 6:
            found = segment
            is_rgb |= segment[6::3] == b"RGB"
        is_luma_first |= marker == 0xE0 and segment[:5] == b"JFIF\0"
        is_luma_first |= marker == 0xEE and segment[:5] == b"Adobe" and segment[11:12] == b"\x01"
        is_rgb |= marker == 0xEE and segment[:5] == b"Adobe" and segment[11:12] == b"\0"
        at += 2 + length
    return None


def _with_scan(
    frame: bytes | None, is_luma_first: bool, is_rgb: bool, start: int
) -> CodestreamSize | None:
    if frame is None:
        return None
    return CodestreamSize(
        precision=frame[0],
        rows=int.from_bytes(frame[1:3], "big"),
        columns=int.from_bytes(frame[3:5], "big"),
        samples=frame[5],
        is_luma_first=is_luma_first,
        is_rgb=is_rgb,
        scan_start=start,
    )


def jpeg_ends(data: bytes, size: CodestreamSize) -> bool:
    """Whether an End of Image marker follows the first scan header.

    In entropy-coded data 0xFF is followed by 0x00 or less than 0x80, never by 0xD9.
    """
    if _END in data[-64:]:
        return True
    return data.rfind(_END) >= size.scan_start


def until_end(data: bytes) -> bytes:
    """Cut a JPEG stream after its entropy-coded data.

    That is before the last End of Image marker. Without one, half a marker at the end is dropped,
    and zeros in place of data that were never written.
    """
    size, at = jpeg_size(data), data.rfind(_END)
    if size is not None and at >= size.scan_start:
        return data[:at]
    written = data.rstrip(b"\0")
    if len(data) - len(written) >= _BLANK:
        # 0xFF 0x00 is one byte of data, whose zero has just been dropped
        data = written + b"\0" if written.endswith(b"\xff") else written
    return data.rstrip(b"\xff")


def jpeg_scans_complete(data: bytes) -> bool:
    """Whether every bit of every coefficient has a scan (ITU-T T.81 B.2.3 and G.1.1).

    Only the headers of scans are checked: the last scan may be cut. False for a broken header.
    """
    frame, scans = _jpeg_scans(data)
    if frame is None or len(frame) < 7:
        return False
    names = frame[7::3][: frame[6]]
    is_progressive = frame[0] in (0xC2, 0xC6, 0xCA, 0xCE)
    band = range(64) if is_progressive else range(1)
    missing = {(name, k) for name in names for k in band}
    for scan in scans:
        count = scan[0] if scan else 0
        if len(scan) < 4 + 2 * count:
            return False
        first, last, bits = scan[1 + 2 * count : 4 + 2 * count]
        if not is_progressive:
            first = last = bits = 0
        if bits & 0x0F == 0:
            missing -= {
                (name, k) for name in scan[1 : 1 + 2 * count : 2] for k in range(first, last + 1)
            }
    return not missing


def _jpeg_scans(data: bytes) -> tuple[bytes | None, list[bytes]]:
    """Return the marker and the frame header, and the header of each scan."""
    frame, scans, at = None, [], 2
    for _ in range(_MAX_SEGMENTS):
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data):
            break
        marker = data[at + 1]
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD9:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        segment = data[at + 4 : at + 2 + length]
        if marker in _SIZE_MARKERS:
            frame = bytes([marker]) + segment
        elif marker == 0xDA:
            scans.append(segment)
        at += 2 + length
    return frame, scans


def jpeg2000_size(data: bytes) -> CodestreamSize | None:
    """Read the SIZ segment (ITU-T T.800 A.5.1) of a codestream, bare or within JP2 boxes.

    Returns:
        None if there is none, or it is cut.
    """
    at = _codestream_start(data)
    if at < 0 or len(data) < at + 45:
        return None
    head = data[at : at + 45]
    x1, y1, x0, y0 = (int.from_bytes(head[k : k + 4], "big") for k in range(8, 24, 4))
    samples = int.from_bytes(head[40:42], "big")
    return CodestreamSize(
        rows=y1 - y0,
        columns=x1 - x0,
        samples=samples,
        precision=(head[42] & 0x7F) + 1,
        is_signed=bool(head[42] & 0x80),
        is_offset=bool(x0 or y0),
        scan_start=at,
    )


def _codestream_start(data: bytes) -> int:
    """Find the codestream, within JP2 boxes (ITU-T T.800 annex I) by their lengths; -1 if missing.

    It is not searched there: a box before it may hold bytes that look like a codestream of another
    size than that which the decoder will decode.
    """
    if data[:12] != _JP2_SIGNATURE:
        return data.find(_J2K_START, 0, 65536)
    at = 12
    for _ in range(_MAX_BOXES):
        length, kind, head = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], 8
        if length == 1:  # the length follows in 64 bits
            length, head = int.from_bytes(data[at + 8 : at + 16]), 16
        if kind == b"jp2c":
            start = at + head
            return start if data[start : start + 4] == _J2K_START else -1
        if length < head:
            return -1
        at += length
    return -1


def jpeg2000_precincts(data: bytes, size: CodestreamSize) -> int:
    """Count the precincts of all resolutions (ITU-T T.800 A.6.1 and B.6), as if of a single tile.

    Returns:
        The number by the main header, for one sample a pixel; 0 if precincts have the largest size.
    """
    coding = _coding_style(data, size)
    if len(coding) < 14 or not coding[4] & 1:
        return 0
    levels, sizes, count = coding[9], coding[14:], 0
    for resolution in range(min(levels + 1, len(sizes))):
        columns, rows = (-(-n >> (levels - resolution)) for n in (size.columns, size.rows))
        across, down = sizes[resolution] & 15, sizes[resolution] >> 4
        count += -(-columns >> across) * -(-rows >> down)
    return count


def jpeg2000_levels(data: bytes, size: CodestreamSize) -> int:
    """Read the number of wavelet decompositions (ITU-T T.800 A.6.1); 0 if it is missing."""
    return int.from_bytes(_coding_style(data, size)[9:10])


def is_irreversible(data: bytes, size: CodestreamSize) -> bool:
    """Whether the wavelet is the irreversible 9-7 (ITU-T T.800 table A.20)."""
    return _coding_style(data, size)[13:14] == b"\0"


def _coding_style(data: bytes, size: CodestreamSize) -> bytes:
    """The COD segment with its marker; empty if there is none."""
    at = size.scan_start + 2
    for _ in range(_MAX_SEGMENTS):
        marker = data[at : at + 2]
        if len(marker) < 2 or marker[0] != 0xFF or marker in (b"\xff\x90", _END):
            return b""
        length = 2 + int.from_bytes(data[at + 2 : at + 4])
        if marker == b"\xff\x52":
            return data[at : at + length]
        at += length
    return b""


def jpeg2000_end(data: bytes, size: CodestreamSize) -> int | None:
    """Find where the last tile-part ends (ITU-T T.800 A.4.2); None if after the end of the data.

    Also None if zeros are in place of its end, as in files that were preallocated and written
    in part. OpenJPH decodes an incomplete stream without an error, so this is checked first.
    """
    at, end = size.scan_start + 2, 0
    for _ in range(_MAX_TILE_PARTS):
        if at + 12 > len(data) or data[at] != 0xFF:
            break
        marker = data[at : at + 2]
        if marker == b"\xff\x90":
            length = int.from_bytes(data[at + 6 : at + 10], "big")
            if length == 0:  # the last tile-part reaches to the end marker
                end = data.rfind(_END)
                return end if end > at else None
            at = end = at + length
        elif marker == _END or end:
            break
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    is_blank = data[end : end + 2] != _END and not any(data[max(0, end - _BLANK) : end])
    return end if 0 < end <= len(data) and not is_blank else None
