"""Damage of the bytes of a file."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np

Bytes = Callable[[bytes], bytes]

_META_LENGTH = slice(140, 144)
"""Value of File Meta Information Group Length (0002,0000), after the preamble and its tag."""
_BOMB_BYTES = 400_000_000


def cut_to(part: float) -> Bytes:
    """Keep only the first share of the bytes, 0 to 1."""
    return lambda whole: whole[: int(len(whole) * part)]


def flip(whole: bytes) -> bytes:
    """Change 400 bytes in the last three quarters."""
    rng = np.random.default_rng(4)
    values = np.frombuffer(whole, dtype=np.uint8).copy()
    at = rng.choice(np.arange(len(values) // 4, len(values)), 400, replace=False)
    values[at] ^= rng.integers(1, 256, 400, dtype=np.uint8)
    return values.tobytes()


def executable_preamble(whole: bytes) -> bytes:
    """Put the header of a Windows program into the preamble (CVE-2019-11687)."""
    return b"MZ" + bytes(58) + struct.pack("<L", 0x200) + bytes(64) + whole[128:]


def without_preamble(whole: bytes) -> bytes:
    """Remove the preamble, so that the file starts with the meta information."""
    return whole[132:]


def without_meta(whole: bytes) -> bytes:
    """Remove preamble and meta information, as in files before PS3.10."""
    return whole[_meta_end(whole) :]


def wrong_group_length(whole: bytes) -> bytes:
    """Let the meta information claim a length of four bytes."""
    return whole[:140] + struct.pack("<L", 4) + whole[144:]


def nested(depth: int) -> Bytes:
    """Nest Waveform Sequence, all of undefined length (PS3.5 section 7.5)."""
    start = struct.pack(
        "<HH2sHLHHL", 0x5400, 0x0100, b"SQ", 0, 2**32 - 1, 0xFFFE, 0xE000, 2**32 - 1
    )
    end = struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
    return lambda whole: _before_pixels(whole, start * depth + end * depth)


def lying_length(whole: bytes) -> bytes:
    """Add an element before the pixels that claims 2 GB, which the file does not have."""
    return _before_pixels(whole, _waveform_data(0x7FFFFFF0))


def wrong_vr(whole: bytes) -> bytes:
    """Give Rows (0028,0010) the VR FD, a number of eight bytes, with two bytes."""
    return whole.replace(b"\x28\x00\x10\x00US", b"\x28\x00\x10\x00FD", 1)


def odd_length(whole: bytes) -> bytes:
    """Remove the last byte of native pixels, without the padding of PS3.5 section 7.1.1."""
    at = _pixels_at(whole) + 8
    length: int = struct.unpack("<L", whole[at : at + 4])[0]
    return whole[:at] + struct.pack("<L", length - 1) + whole[at + 4 : -1]


def unknown_charset(whole: bytes) -> bytes:
    """Declare an unknown character set, and use bytes that no common one has."""
    named = whole.replace(b"ISO_IR 100", b"ISO_IR 999", 1)
    return named.replace(b"Drawn Hospital", b"Drawn \xff\xfe\x81pital", 1)


def inflate_bomb(whole: bytes) -> bytes:
    """Deflate a file with 400 MB of zeros to half a megabyte (PS3.5 annex A.5)."""
    head = _meta_end(whole)
    plain = zlib.decompress(whole[head:], -zlib.MAX_WBITS)
    at = _pixels_at(plain)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    out = io.BytesIO()
    out.write(whole[:head])
    out.write(squeeze.compress(plain[:at] + _waveform_data(_BOMB_BYTES)))
    zeros = bytes(1_000_000)
    for _ in range(_BOMB_BYTES // len(zeros)):
        out.write(squeeze.compress(zeros))
    out.write(squeeze.compress(plain[at:]) + squeeze.flush())
    return out.getvalue()


def _meta_end(whole: bytes) -> int:
    length: int = struct.unpack("<L", whole[_META_LENGTH])[0]
    return 144 + length


def _waveform_data(length: int) -> bytes:
    return struct.pack("<HH2sHL", 0x5400, 0x1010, b"OB", 0, length)


def _pixels_at(whole: bytes) -> int:
    return whole.index(b"\xe0\x7f\x10\x00O")


def _before_pixels(whole: bytes, inserted: bytes) -> bytes:
    at = _pixels_at(whole)
    return whole[:at] + inserted + whole[at:]
