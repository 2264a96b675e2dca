"""Fast path to the model's square: average blocks of stored values, then window linearly.

In most radiographs grey is a linear function of the stored value, from minimum to maximum.
Averaging and a linear function commute, so that pixels are first added up in blocks, and only the
means are windowed. If the function is not linear or pixels are left out (lookup tables, sigmoids,
padding, colours), every pixel is windowed as in full decoding before the picture is resized.
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

_NEAR = 64
"""Part of the window that the mean of padding and ringing is within."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearWindow:
    """A linear function from stored value to grey."""

    is_inverse: bool
    """Whether low stored values are bright."""
    warnings: tuple[str, ...]


def linear_window(header: Header, module: PixelModule) -> LinearWindow | None:
    """Return the linear function from stored value to grey; None if it is not linear."""
    is_grey = module.samples == 1 and module.photometric != "PALETTE COLOR"
    if not is_grey or module.is_float or module.bits_allocated not in (8, 16):
        return None
    if is_sigmoid(header) or (found := slope_of(header, module)) is None:
        return None
    slope, notes = found
    is_inverse, more = polarity(header, module)
    return LinearWindow(is_inverse=is_inverse != (slope < 0), warnings=notes + more)


def downsample_frame(
    path: str, planes: Planes, header: Header, module: PixelModule, side: int
) -> GreyImage:
    """Resize a frame that was decoded in full to a square.

    Args:
        path: for errors only.
        planes: the decoded frame.
        header: the data set.
        module: the Image Pixel module.
        side: rows and columns of the result.

    Returns:
        Pixels of shape (side, side); warnings as by `to_grey`.

    Raises:
        CorruptHeader: the palette cannot be applied.
    """
    window = linear_window(header, module)
    if window and factors(module.rows, module.columns, side) != (1, 1):
        blocks, settled, notes = _blocks(planes, header, module, side)
        if not _has_padding(blocks, header, settled):
            return _windowed(blocks, replace(window, warnings=notes + window.warnings), side)
    grey = to_grey(path, planes, header, module, exact=False)
    return GreyImage(
        pixels=resize_square(grey.pixels, side),
        is_constant=grey.is_constant,
        warnings=grey.warnings,
    )


def downsample_reduced(
    reduced: Reduced, header: Header, module: PixelModule, side: int
) -> GreyImage | None:
    """Resize a frame that was decoded at reduced resolution to a square.

    Returns:
        Pixels of shape (side, side); None if full resolution is needed.
    """
    window = linear_window(header, module)
    if window is None:
        return None
    low, high = int(reduced.samples.min()), int(reduced.samples.max())
    # Decoders keep the position of the first pixel, which is not the middle of its block.
    lag = 0.5 - 0.5 / reduced.factor
    blocks = BlockSums(
        sums=reduced.samples,
        count=1,
        low=low,
        high=high,
        box=(
            lag,
            lag,
            lag + module.columns / reduced.factor,
            lag + module.rows / reduced.factor,
        ),
    )
    if low == high or _has_padding(blocks, header, module, margin=(high - low) // _NEAR):
        return None
    return _windowed(blocks, window, side)


def _blocks(
    planes: Planes, header: Header, module: PixelModule, side: int
) -> tuple[BlockSums, PixelModule, tuple[str, ...]]:
    """Add up stored values in blocks; without masking if the samples are the values already.

    Returns:
        The blocks, the module after corrections, and warnings about these.
    """
    samples: NDArray[Any] = planes.samples[0]
    bits = min(module.bits_stored, planes.precision)
    is_plain = (
        not module.is_signed
        and module.high_bit == module.bits_stored - 1
        and samples.dtype.isnative
        and not may_be_swapped(planes, module)
        and not may_have_other_sign(planes, module)
    )
    if is_plain and (blocks := block_sums(samples, side)).high >> bits == 0:
        return blocks, module, ()
    planes, module, notes = settle(planes, header, module, padding_range(header, module))
    values = stored_values(planes.samples[0], module, planes.precision)
    return block_sums(values, side), module, notes


def _has_padding(
    blocks: BlockSums, header: Header, module: PixelModule, *, margin: int = 0
) -> bool:
    """Whether a pixel may be padding, by minimum and maximum: most padding is outside of them."""
    found = padding_range(header, module)
    return (
        found is not None and found[1] >= blocks.low - margin and found[0] <= blocks.high + margin
    )


def _windowed(blocks: BlockSums, window: LinearWindow, side: int) -> GreyImage:
    if blocks.low == blocks.high:
        pixels = np.zeros((side, side), np.uint8)
        return GreyImage(pixels=pixels, is_constant=True, warnings=window.warnings)
    grey = window_block_sums(blocks, is_inverse=window.is_inverse)
    return GreyImage(pixels=resize_square(grey, side, blocks.box), warnings=window.warnings)
