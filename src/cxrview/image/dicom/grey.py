"""Convert a decoded frame to grey values of 8 bits, bone bright."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.image.dicom.bit_depth import settle
from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.frame import Planes
from cxrview.image.dicom.modality_lut import modality_values
from cxrview.image.dicom.palette import look_up_colours
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.stored_values import as_stored, stored_values
from cxrview.image.image_file import GreyImage
from cxrview.image.window import luma, minmax_to_uint8

_PADDING, _PADDING_LIMIT = 0x00280120, 0x00280121
_VOI_FUNCTION = 0x00281056
_SHAPE = 0x20500020


def to_grey(
    path: str, planes: Planes, header: Header, module: PixelModule, *, exact: bool
) -> GreyImage:
    """Convert stored values to grey values for display.

    Args:
        path: for errors only.
        planes: the decoded frame.
        header: the data set.
        module: the Image Pixel module.
        exact: count padding values into the minimum and maximum, as DCMTK does.

    Raises:
        CorruptHeader: the palette cannot be applied.
        TooLarge: it has more entries than a palette.

    Source:
        PS3.4 annex N.2 (the order of the steps), and DCMTK's dcmimgle where it leaves a choice.
    """
    padded = None if exact else padding_range(header, module)
    planes, module, settled = settle(planes, header, module, padded)
    if module.samples == 3 or module.photometric == "PALETTE COLOR":
        pixels, is_constant = minmax_to_uint8(_luma(path, planes, header, module))
        return GreyImage(pixels=pixels, is_constant=is_constant, warnings=settled)
    stored = stored_values(planes.samples[0], module, planes.precision)
    padding = None if exact else _padding(stored, header, module)
    values, notes = modality_values(stored, header, module)
    is_inverse, more = polarity(header, module)
    pixels, is_constant = minmax_to_uint8(
        values,
        is_inverse=is_inverse,
        is_sigmoid=is_sigmoid(header),
        padding=padding,
        further_values=_trailing_byte(planes, module) if exact else None,
    )
    return GreyImage(pixels=pixels, is_constant=is_constant, warnings=settled + notes + more)


def _luma(path: str, planes: Planes, header: Header, module: PixelModule) -> NDArray[Any]:
    stored = stored_values(planes.samples, module, planes.precision)
    if module.photometric == "PALETTE COLOR":
        return luma(*np.moveaxis(look_up_colours(path, stored[0], header), 2, 0))
    if planes.is_luma_first:
        first: NDArray[Any] = stored[0]
        return first
    if stored.dtype.itemsize > 2:
        stored = stored.astype(np.float64)
    return luma(*stored)


def padding_range(header: Header, module: PixelModule) -> tuple[int, int] | None:
    """Read Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2) as stored values, in order."""
    value = header.number(_PADDING)
    if value is None or module.is_float:
        return None
    limit = header.number(_PADDING_LIMIT)
    first = as_stored(value, module)
    last = first if limit is None else as_stored(limit, module)
    return min(first, last), max(first, last)


def _padding(stored: NDArray[Any], header: Header, module: PixelModule) -> NDArray[np.bool_] | None:
    """Mask of padding, shape (rows, columns); None if there is none."""
    found = padding_range(header, module)
    if found is None:
        return None
    low, high = found
    ends = np.iinfo(stored.dtype)
    if high < ends.min or low > ends.max:
        return None
    mask: NDArray[np.bool_]
    if low == high:
        mask = stored == low
    else:
        mask = (stored >= max(low, ends.min)) & (stored <= min(high, ends.max))
    return mask


def _trailing_byte(planes: Planes, module: PixelModule) -> NDArray[np.uint8] | None:
    """Return the byte that pads an odd number of 8-bit pixels to an even length.

    DCMTK 3.6 counts it as a pixel, unless the picture is tiny (determineMinMax of diinpxt.h).
    """
    is_odd = module.bits_allocated == 8 and module.samples_a_plane % 2
    if not is_odd or module.frames > 1 or module.samples_a_plane <= 3 << module.bits_stored:
        return None
    return np.frombuffer(planes.trailing_bytes[:1] or b"\0", np.uint8)


def is_sigmoid(header: Header) -> bool:
    """Whether VOI LUT Function is SIGMOID (PS3.3 C.11.2.1.3)."""
    return header.text(_VOI_FUNCTION).upper() == "SIGMOID"


def polarity(header: Header, module: PixelModule) -> tuple[bool, tuple[str, ...]]:
    """Whether low values are bright: by Presentation LUT Shape, as in DCMTK, else MONOCHROME1."""
    shape = header.text(_SHAPE).upper()
    is_monochrome1 = module.photometric == "MONOCHROME1"
    if shape not in ("IDENTITY", "INVERSE"):
        return is_monochrome1, ()
    is_inverse = shape == "INVERSE"
    return is_inverse, () if is_inverse == is_monochrome1 else ("odd_polarity",)
