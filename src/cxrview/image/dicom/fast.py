"""The fast reader's way from stored values to the network's square, where the way is straight.

From stored value to grey most radiographs have a straight line from their minimum to their
maximum. Averages and straight lines may change places: pixels are first added up in blocks, and
the few that are left are windowed. Where something bends the line or leaves pixels out (tables,
sigmoids, padding, colours), every pixel is windowed as by the full reader, and shrunk then.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.image.dicom.bit_depth import may_be_swapped, settle
from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.frame import Planes
from cxrview.image.dicom.grey import is_sigmoid, padding_range, polarity, to_grey
from cxrview.image.dicom.jpeg2000_reduced import Reduced
from cxrview.image.dicom.modality_lut import slope_of
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.pixel_sign import may_have_other_sign
from cxrview.image.dicom.stored_values import stored_values
from cxrview.image.image_file import GreyImage
from cxrview.image.resize import BlockSums, block_sums, factors, resize_square, window_block_sums


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearWindow:
    """A straight way from stored value to grey."""

    is_inverse: bool
    """Low stored values are bright."""
    warnings: tuple[str, ...]


def linear_window(header: Header, layout: PixelModule) -> LinearWindow | None:
    """Find the line; None where there is none."""
    is_grey = layout.samples == 1 and layout.photometric != "PALETTE COLOR"
    if not is_grey or layout.is_float or layout.bits_allocated not in (8, 16):
        return None
    if is_sigmoid(header) or (found := slope_of(header, layout)) is None:
        return None
    slope, notes = found
    is_inverse, more = polarity(header, layout)
    return LinearWindow(is_inverse=is_inverse != (slope < 0), warnings=notes + more)


def downsample_frame(
    path: str, planes: Planes, header: Header, layout: PixelModule, side: int
) -> GreyImage:
    """Shrink a frame that was decoded in full.

    Args:
        path: for errors only.
        planes: the decoded frame.
        header: the data set.
        layout: what it says of the pixels.
        side: rows and columns of the result.

    Returns:
        Pixels of shape (side, side); warnings as by `to_grey`.

    Raises:
        CorruptHeader: the palette cannot be applied.
    """
    line = linear_window(header, layout)
    if line and factors(layout.rows, layout.columns, side) != (1, 1):
        blocks, settled, notes = _blocks(planes, header, layout, side)
        if not _has_padding(blocks, header, settled):
            return _windowed(blocks, replace(line, warnings=notes + line.warnings), side)
    grey = to_grey(path, planes, header, layout, exact=False)
    return GreyImage(
        pixels=resize_square(grey.pixels, side),
        is_constant=grey.is_constant,
        warnings=grey.warnings,
    )


def downsample_reduced(
    reduced: Reduced, header: Header, layout: PixelModule, side: int
) -> GreyImage | None:
    """Shrink a frame that was decoded at a fraction of its resolution.

    Returns:
        Pixels of shape (side, side); None where only full resolution will do.
    """
    line = linear_window(header, layout)
    if line is None:
        return None
    low, high = int(reduced.samples.min()), int(reduced.samples.max())
    # The first pixel stays where it is, and so lies off the middle of the block it stands for.
    lag = 0.5 - 0.5 / reduced.factor
    blocks = BlockSums(
        sums=reduced.samples,
        count=1,
        low=low,
        high=high,
        box=(
            lag,
            lag,
            lag + layout.columns / reduced.factor,
            lag + layout.rows / reduced.factor,
        ),
    )
    if low == high or _has_padding(blocks, header, layout, margin=(high - low) // _NEAR):
        return None
    return _windowed(blocks, line, side)


_NEAR = 64
"""Share of the window in which a mean of padding and ringing lies."""


def _blocks(
    planes: Planes, header: Header, layout: PixelModule, side: int
) -> tuple[BlockSums, PixelModule, tuple[str, ...]]:
    """Add up stored values; samples that are nothing but values, as nearly all are, as they lie.

    Returns:
        The blocks, how their pixels really are laid out, and warnings about it.
    """
    samples: NDArray[Any] = planes.samples[0]
    bits = min(layout.bits_stored, planes.precision)
    is_plain = (
        not layout.is_signed
        and layout.high_bit == layout.bits_stored - 1
        and samples.dtype.isnative
        and not may_be_swapped(planes, layout)
        and not may_have_other_sign(planes, layout)
    )
    if is_plain and (blocks := block_sums(samples, side)).high >> bits == 0:
        return blocks, layout, ()
    planes, layout, notes = settle(planes, header, layout, padding_range(header, layout))
    values = stored_values(planes.samples[0], layout, planes.precision)
    return block_sums(values, side), layout, notes


def _has_padding(
    blocks: BlockSums, header: Header, layout: PixelModule, *, margin: int = 0
) -> bool:
    """Whether a pixel might be padding: by minimum and maximum alone, beyond which most lie."""
    found = padding_range(header, layout)
    return (
        found is not None and found[1] >= blocks.low - margin and found[0] <= blocks.high + margin
    )


def _windowed(blocks: BlockSums, line: LinearWindow, side: int) -> GreyImage:
    if blocks.low == blocks.high:
        pixels = np.zeros((side, side), np.uint8)
        return GreyImage(pixels=pixels, is_constant=True, warnings=line.warnings)
    grey = window_block_sums(blocks, is_inverse=line.is_inverse)
    return GreyImage(pixels=resize_square(grey, side, blocks.box), warnings=line.warnings)
