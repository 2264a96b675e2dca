"""The Image Pixel module: how the header describes the pixels (PS3.3 C.7.6.3)."""

from dataclasses import dataclass
from typing import Any

from cxrview.errors import CorruptHeader
from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.parse import DOUBLE_PIXELS, FLOAT_PIXELS, PIXELS

_GREY = frozenset(["MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"])
_MAX_FRAMES = 2**31 - 1
_ADVICE = "Export it again; its header contradicts itself"


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelModule:
    """The Image Pixel module, checked."""

    rows: int
    columns: int
    frames: int
    samples: int
    """1, or 3 for a colour image."""
    bits_allocated: int
    """1, 8, 16, 32 or 64."""
    bits_stored: int
    high_bit: int
    is_signed: bool
    is_float: bool
    is_planar: bool
    """Whether colours are stored by plane and not by pixel."""
    photometric: str
    warnings: tuple[str, ...] = ()

    @property
    def samples_a_plane(self) -> int:
        """Samples in all planes of one frame."""
        return self.rows * self.columns * self.samples

    @property
    def frame_bytes(self) -> int:
        """Bytes of one native frame, rounded up."""
        if self.photometric == "YBR_FULL_422":
            return self.rows * (self.columns + self.columns % 2) * 2 * self.bits_allocated // 8
        return (self.samples_a_plane * self.bits_allocated + 7) // 8

    @property
    def decoded_bytes(self) -> int:
        """Memory that all frames would take."""
        return self.samples_a_plane * self.frames * max(1, self.bits_allocated // 8)


def count_frames(header: Header) -> tuple[int, tuple[str, ...]]:
    """Read Number of Frames (0028,0008); 1 if it is missing or not valid, as in DCMTK."""
    if not header.raw(0x00280008).strip(b"\0 "):
        return 1, ()
    frames = header.number(0x00280008)
    if frames is None or frames < 1:
        return 1, ("odd_frames",)
    return min(frames, _MAX_FRAMES), ()


def read_pixel_module(path: str, header: Header, tag: int) -> PixelModule:
    """Read and check the Image Pixel module.

    Args:
        path: for errors only.
        header: the data set.
        tag: of the pixel element: Pixel Data, or one of the floating kinds.

    Raises:
        CorruptHeader: a needed value is missing or impossible.
    """
    rows, columns = header.number(0x00280010), header.number(0x00280011)
    if not rows or not columns:
        raise CorruptHeader(path, "its rows or columns are missing or zero", _ADVICE)
    photometric = header.text(0x00280004).upper()
    if not photometric:
        raise CorruptHeader(path, "its photometric interpretation is missing", _ADVICE)
    samples = header.number(0x00280002)
    expected = 1 if photometric in _GREY else 3
    if samples not in (None, expected):
        raise CorruptHeader(path, "its number of samples does not fit its colours", _ADVICE)
    frames, notes = count_frames(header)
    depth, more = _read_depth(path, header, tag)
    return PixelModule(
        rows=rows,
        columns=columns,
        frames=frames,
        samples=expected,
        photometric=photometric,
        is_planar=header.number(0x00280006) == 1,
        warnings=notes + more,
        **depth,
    )


def _read_depth(path: str, header: Header, tag: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    if tag in (FLOAT_PIXELS, DOUBLE_PIXELS):
        bits = 32 if tag == FLOAT_PIXELS else 64
        return _depth(bits, bits, bits - 1, is_signed=True, is_float=True), ()
    assert tag == PIXELS
    allocated, stored = header.number(0x00280100), header.number(0x00280101)
    if allocated not in (1, 8, 16, 32, 64):
        raise CorruptHeader(path, "its number of bits allocated is missing or odd", _ADVICE)
    if not stored or stored > allocated:
        raise CorruptHeader(path, "its number of bits stored is missing or impossible", _ADVICE)
    high, notes = _high_bit(header.number(0x00280102), stored, allocated)
    sign = header.number(0x00280103)
    if sign not in (0, 1):
        notes = (*notes, "odd_pixel_representation")
    return _depth(allocated, stored, high, is_signed=sign == 1, is_float=False), notes


def _high_bit(high: int | None, stored: int, allocated: int) -> tuple[int, tuple[str, ...]]:
    """Return High Bit if it is valid, otherwise Bits Stored - 1, as in DCMTK."""
    if high is None or not stored - 1 <= high < allocated:
        return stored - 1, ("odd_high_bit",)
    return high, ()


def _depth(
    allocated: int, stored: int, high: int, *, is_signed: bool, is_float: bool
) -> dict[str, Any]:
    return {
        "bits_allocated": allocated,
        "bits_stored": stored,
        "high_bit": high,
        "is_signed": is_signed,
        "is_float": is_float,
    }
