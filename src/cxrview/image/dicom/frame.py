"""A compressed frame, its decoded planes, and the errors of one that cannot be decoded."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from numpy.typing import NDArray

from cxrview.errors import CorruptPixels, Truncated
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """A decoded frame."""

    samples: NDArray[Any]
    """Shape (1 or 3, rows, columns): stored values, before masking and sign."""
    precision: int
    """Bits of a sample that the codestream uses; those above are not part of the value. Of native
    pixels, the bits allocated."""
    is_luma_first: bool = False
    """The first plane is luma, the others are colour differences."""
    trailing_bytes: bytes = b""
    """Bytes after the last native pixel: padding to an even length."""
    is_lossy: bool = False
    """Values may exceed the range of the original ones a little."""
    warnings: tuple[str, ...] = ()
    """Codes of warnings about the codestream."""


class Ending(Enum):
    """What follows the last fragment of a frame."""

    CLOSED = auto()
    """A delimiter, zeros in its place, or another frame: the frame is complete."""
    OPEN = auto()
    """The end of the file."""
    CUT = auto()
    """The file ends within the fragment."""
    GARBLED = auto()
    """Bytes that do not belong to a fragment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A compressed frame, with everything needed to decode it."""

    path: str
    """For errors only."""
    data: bytes
    module: PixelModule
    limits: Limits
    ending: Ending = Ending.OPEN


def corrupt_frame_error(frame: Frame) -> CorruptPixels | Truncated:
    """Return the error of a damaged frame, or of one within which the file ends."""
    if frame.ending is Ending.CUT:
        return Truncated(frame.path, "it ends before its pixels do")
    return CorruptPixels(frame.path, "its compressed pixels cannot be decoded")


def undecodable_frame_error(frame: Frame, *, is_complete: bool) -> CorruptPixels | Truncated:
    """Return the error of a frame that cannot be decoded; `is_complete`: no part is missing."""
    if is_complete or frame.ending is Ending.CUT:
        return corrupt_frame_error(frame)
    if frame.ending is Ending.GARBLED:
        return CorruptPixels(
            frame.path, "there are other bytes between its fragments of compressed pixels"
        )
    return Truncated(frame.path, "its compressed pixels end too early")


def too_few_pixels_error(frame: Frame) -> Truncated:
    """Return the error of a frame that is smaller than the header says."""
    if frame.ending is Ending.CUT:
        return Truncated(frame.path, "it ends before its pixels do")
    return Truncated(frame.path, "it has fewer pixels than its header says")
