"""Decode JPEG 2000 at reduced resolution, which saves at least three quarters of the work.

A wavelet codestream holds a small picture and the details that double its size, repeatedly
(ITU-T T.800 annex B). An unusual stream is decoded in full by the decoders in `codecs`, which
report errors.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cxrview.image.dicom.bit_depth import is_overshoot
from cxrview.image.dicom.codecs import htj2k_samples
from cxrview.image.dicom.codestream import (
    MAX_PRECINCTS,
    CodestreamSize,
    jpeg2000_end,
    jpeg2000_levels,
    jpeg2000_precincts,
    jpeg2000_size,
)
from cxrview.image.dicom.frame import Frame
from cxrview.image.dicom.smoothness import roughness, some_rows
from cxrview.image.resize import factors

_ROUGH = 0.25
"""Roughness above that of reduced radiographs, unless they are very noisy."""
_LOWER, _UPPER = 0x4000, 0xC000
"""A quarter and three quarters of the range of 16 bits: 14-bit values never are in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """A frame at a fraction of its resolution."""

    samples: NDArray[Any]
    """Shape (rows / factor, columns / factor), rounded up; uint8 or uint16, stored values."""
    factor: int
    """Number of rows and columns of the full picture for each of this one, a power of 2."""


def decode_reduced(syntax: str, frame: Frame, side: int) -> Reduced | None:
    """Decode to the smallest resolution that has twice `side` rows and columns.

    Args:
        syntax: UID of the transfer syntax.
        frame: of one sample a pixel, unsigned.
        side: rows and columns of the square to come.

    Returns:
        None if full resolution is needed.
    """
    levels, size = count_halvings(syntax, frame, side), jpeg2000_size(frame.data)
    if levels < 1 or size is None or jpeg2000_end(frame.data, size) is None:
        return None
    try:
        samples = _DECODERS[syntax](frame.data, levels, size)
    except MemoryError:
        raise
    except Exception:  # decoders raise anything; full decoding reports the error
        return None
    rows, columns = (-(-length >> levels) for length in (size.rows, size.columns))
    if samples is None or samples.shape != (rows, columns):
        return None
    top = (1 << frame.module.bits_stored) - 1
    if not is_overshoot(samples, 0, top) or (size.precision == 16 and _is_rough(samples)):
        return None  # other bits are in use; full decoding handles them
    top = min(top, np.iinfo(samples.dtype).max)
    return Reduced(samples=np.minimum(samples, samples.dtype.type(top)), factor=1 << levels)


def _is_rough(samples: NDArray[Any]) -> bool:
    """Whether words may be in the wrong byte order, which only full resolution shows."""
    return roughness(some_rows(samples)) > _ROUGH


def count_halvings(syntax: str, frame: Frame, side: int) -> int:
    """Return how many times `decode_reduced` would halve the sides of a frame.

    Args:
        syntax: UID of the transfer syntax.
        frame: only the main header of its data is read.
        side: rows and columns of the square to come.

    Returns:
        0 if full resolution is needed.
    """
    size = jpeg2000_size(frame.data) if syntax in _DECODERS else None
    if size is None or not _fits(frame, size):
        return 0
    return min(jpeg2000_levels(frame.data, size), _levels_wanted(size, side))


def _fits(frame: Frame, size: CodestreamSize) -> bool:
    """Whether the stream agrees with the header and has one unsigned component."""
    module = frame.module
    return (
        (size.rows, size.columns, size.samples) == (module.rows, module.columns, 1)
        and (module.samples, module.is_signed, size.is_signed) == (1, False, False)
        and module.high_bit == module.bits_stored - 1
        and size.precision <= module.bits_allocated <= 16
        and not size.is_offset
        and jpeg2000_precincts(frame.data, size) <= MAX_PRECINCTS
    )


def _levels_wanted(size: CodestreamSize, side: int) -> int:
    return min(factors(size.rows, size.columns, side)).bit_length() - 1


def _pillow(data: bytes, levels: int, size: CodestreamSize) -> NDArray[Any] | None:
    """Decode by OpenJPEG through Pillow: imagecodecs cannot select a resolution."""
    image: Any = Image.open(BytesIO(data), formats=["JPEG2000"])
    if image.size != (size.columns, size.rows):  # by the JP2 boxes, by which Pillow allocates
        return None
    image.reduce = levels
    # Pillow rounds the size to the nearest, OpenJPEG up (T.800 B-15); they must agree.
    image._size = tuple(-(-length >> levels) << levels for length in image.size)
    image.load()
    if image.mode == "L":
        return np.asarray(image) >> (8 - min(8, size.precision))
    if image.mode == "I;16":
        return np.asarray(image) >> (16 - size.precision)  # Pillow scales values to 16 bits
    return None


def _openjph(data: bytes, levels: int, size: CodestreamSize) -> NDArray[Any] | None:
    """Decode by OpenJPH, which wraps values of a reduced picture below 0 instead of clipping."""
    if size.precision <= 8:
        return None
    samples = htj2k_samples(data, skip=levels)
    if samples.dtype != np.uint16:
        return None
    if size.precision == 16 and samples.max() >= _UPPER:
        if ((samples >= _LOWER) & (samples < _UPPER)).any():
            return None  # a value near the maximum may have been below 0
        return np.maximum(samples.view(np.int16), 0).view(np.uint16)
    if size.precision == 16:
        return samples
    top = (1 << size.precision) - 1
    return np.clip(samples.view(np.int16), 0, top).view(np.uint16)


_DECODERS: Mapping[str, Callable[[bytes, int, CodestreamSize], NDArray[Any] | None]] = {
    "1.2.840.10008.1.2.4.90": _pillow,
    "1.2.840.10008.1.2.4.91": _pillow,
    "1.2.840.10008.1.2.4.201": _openjph,
    "1.2.840.10008.1.2.4.202": _openjph,
    "1.2.840.10008.1.2.4.203": _openjph,
}
