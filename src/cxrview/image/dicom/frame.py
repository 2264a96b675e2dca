"""A compressed frame, what becomes of it, and how it may fail."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from numpy.typing import NDArray

from cxrview.errors import CorruptPixels, Truncated
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.options import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Planes:
    """A decoded frame."""

    samples: NDArray[Any]
    """Shape (1 or 3, rows, columns): stored values, before masking and sign."""
    precision: int
    """Bits of a sample that the codestream uses; those above carry no value. Of samples that
    need no decoder, the bits allocated."""
    is_luma_first: bool = False
    """The first plane is luma, the others are colour differences."""
    trailing_bytes: bytes = b""
    """What follows the last native pixel: padding to an even length."""
    is_lossy: bool = False
    """Values may lie a little beyond those that were compressed."""
    warnings: tuple[str, ...] = ()
    """Codes of what was odd about the codestream."""


class Ending(Enum):
    """What stands behind the last fragment of a frame."""

    CLOSED = auto()
    """A delimiter, zeros in its place, or another frame: nothing is missing from the file."""
    OPEN = auto()
    """The end of the file."""
    CUT = auto()
    """Nothing: the file ends within the fragment."""
    GARBLED = auto()
    """Something that belongs to no fragment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A compressed frame, and all that is needed to decode it."""

    path: str
    """For errors only."""
    data: bytes
    module: PixelModule
    limits: Limits
    ending: Ending = Ending.OPEN


def corrupt_frame_error(frame: Frame) -> CorruptPixels | Truncated:
    """The error of a frame that makes no sense, unless the file ends within it."""
    if frame.ending is Ending.CUT:
        return Truncated(frame.path, "it ends before its pixels do")
    return CorruptPixels(frame.path, "its compressed pixels cannot be decoded")


def undecodable_frame_error(frame: Frame, *, is_whole: bool) -> CorruptPixels | Truncated:
    """The error of a frame that cannot be decoded, by whether all of it is there."""
    if is_whole or frame.ending is Ending.CUT:
        return corrupt_frame_error(frame)
    if frame.ending is Ending.GARBLED:
        return CorruptPixels(
            frame.path, "something else stands among its fragments of compressed pixels"
        )
    return Truncated(frame.path, "its compressed pixels end too soon")


def too_few_pixels_error(frame: Frame) -> Truncated:
    """The error of a frame that is decoded, but smaller than the header says."""
    if frame.ending is Ending.CUT:
        return Truncated(frame.path, "it ends before its pixels do")
    return Truncated(frame.path, "it has fewer pixels than its header says")
