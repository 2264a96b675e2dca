"""The transfer syntaxes of drawn radiographs, each with its encoder."""

from collections.abc import Callable
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cxrview.errors import UsageError

Encoder = Callable[[NDArray[np.uint16], int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Syntax:
    """One transfer syntax (PS3.5 section 10 and annex A)."""

    name: str
    """The command's name of it."""
    uid: str
    encode: Encoder | None = None
    """Encodes one frame of shape (rows, columns) with bits stored; None for native pixels."""
    most_bits: int = 16
    """Most bits that the syntax can store; more are cut off."""
    fills_bytes: bool = False
    """The encoder always writes 8 or 16 bits, and so the header must too."""
    stream_bits: int = 0
    """Bits of every stream; 0 if they depend on the pixels."""
    lossy_method: str = ""
    """Lossy Image Compression Method (0028,2114); empty if lossless."""

    def bits_stored(self, bits: int) -> int:
        """Bits Stored (0028,0101) for pixels of so many bits."""
        kept = min(bits, self.most_bits)
        if self.stream_bits:
            return self.stream_bits
        if self.fills_bytes:
            return 8 if kept <= 8 else 16
        return kept


def native_bytes(pixels: NDArray[np.uint16], bits: int, *, big_endian: bool = False) -> bytes:
    """Encode without compression: 8 or 16 bits each, padded to even length (PS3.5 8.1.1)."""
    if bits <= 8:
        raw = pixels.astype(np.uint8).tobytes()
    else:
        raw = pixels.astype(">u2" if big_endian else "<u2").tobytes()
    return raw + b"\0" * (len(raw) % 2)


def find_syntax(name: str) -> Syntax:
    """Find a syntax by its name.

    Raises:
        UsageError: the transfer syntax does not exist.
    """
    if name not in SYNTAXES:
        raise UsageError(
            f"transfer syntax {name} does not exist", f"Choose from {', '.join(SYNTAXES)}"
        )
    return SYNTAXES[name]


def _in_bytes(pixels: NDArray[np.uint16], bits: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
    return pixels.astype(np.uint8) if bits <= 8 else pixels


def _rle(pixels: NDArray[np.uint16], bits: int) -> bytes:
    """Encode as in PS3.5 annex G: one segment per byte of a pixel, most significant first."""
    planes = [pixels & 0xFF] if bits <= 8 else [pixels >> 8, pixels & 0xFF]
    segments = []
    for plane in planes:
        # A run must not extend into the next row (PS3.5 G.3.1).
        packed = b"".join(imagecodecs.packbits_encode(row) for row in plane.astype(np.uint8))
        segments.append(packed + b"\0" * (len(packed) % 2))
    starts = 64 + np.cumsum([0, *(len(segment) for segment in segments[:-1])])
    header = np.zeros(16, dtype="<u4")
    header[0] = len(segments)
    header[1 : 1 + len(segments)] = starts
    return header.tobytes() + b"".join(segments)


def _jpeg_baseline(pixels: NDArray[np.uint16], bits: int) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(pixels.astype(np.uint8), 92))


def _jpeg_extended(pixels: NDArray[np.uint16], bits: int) -> bytes:
    # Twelve bits make the extended process; eight would make baseline.
    return bytes(imagecodecs.jpeg8_encode(pixels, 95, bitspersample=12))


def _jpeg_lossless(predictor: int) -> Encoder:
    def encode(pixels: NDArray[np.uint16], bits: int) -> bytes:
        values = _in_bytes(pixels, bits)
        stream = imagecodecs.jpeg8_encode(
            values, lossless=True, predictor=predictor, bitspersample=bits
        )
        return bytes(stream)

    return encode


def _jpeg_ls(near: int) -> Encoder:
    def encode(pixels: NDArray[np.uint16], bits: int) -> bytes:
        return bytes(imagecodecs.jpegls_encode(_in_bytes(pixels, bits), near))

    return encode


def _jpeg_2000(level: int) -> Encoder:
    def encode(pixels: NDArray[np.uint16], bits: int) -> bytes:
        stream = imagecodecs.jpeg2k_encode(
            _in_bytes(pixels, bits),
            level,
            codecformat="j2k",
            bitspersample=bits,
            reversible=level == 0,
        )
        return bytes(stream)

    return encode


def _htj2k(pixels: NDArray[np.uint16], bits: int) -> bytes:
    return bytes(imagecodecs.htj2k_encode(_in_bytes(pixels, bits), reversible=True))


_JPEG, _JPEG_LS, _JPEG_2000 = "ISO_10918_1", "ISO_14495_1", "ISO_15444_1"

SYNTAXES: dict[str, Syntax] = {
    syntax.name: syntax
    for syntax in (
        Syntax(name="native", uid="1.2.840.10008.1.2.1"),
        Syntax(name="implicit", uid="1.2.840.10008.1.2"),
        Syntax(name="big-endian", uid="1.2.840.10008.1.2.2"),
        Syntax(name="deflated", uid="1.2.840.10008.1.2.1.99"),
        Syntax(name="rle", uid="1.2.840.10008.1.2.5", encode=_rle),
        Syntax(
            name="jpeg",
            uid="1.2.840.10008.1.2.4.50",
            encode=_jpeg_baseline,
            most_bits=8,
            lossy_method=_JPEG,
        ),
        Syntax(
            name="jpeg-extended",
            uid="1.2.840.10008.1.2.4.51",
            encode=_jpeg_extended,
            most_bits=12,
            stream_bits=12,
            lossy_method=_JPEG,
        ),
        Syntax(name="jpeg-lossless", uid="1.2.840.10008.1.2.4.70", encode=_jpeg_lossless(1)),
        Syntax(name="jpeg-lossless-p14", uid="1.2.840.10008.1.2.4.57", encode=_jpeg_lossless(4)),
        Syntax(name="jpeg-ls", uid="1.2.840.10008.1.2.4.80", encode=_jpeg_ls(0), fills_bytes=True),
        Syntax(
            name="jpeg-ls-near",
            uid="1.2.840.10008.1.2.4.81",
            encode=_jpeg_ls(2),
            fills_bytes=True,
            lossy_method=_JPEG_LS,
        ),
        Syntax(name="jpeg-2000", uid="1.2.840.10008.1.2.4.90", encode=_jpeg_2000(0)),
        Syntax(
            name="jpeg-2000-lossy",
            uid="1.2.840.10008.1.2.4.91",
            encode=_jpeg_2000(55),
            lossy_method=_JPEG_2000,
        ),
        Syntax(name="htj2k", uid="1.2.840.10008.1.2.4.201", encode=_htj2k, fills_bytes=True),
    )
}
"""All syntaxes by name."""
