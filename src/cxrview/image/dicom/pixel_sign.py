"""Detect a Pixel Representation (0028,0103) that contradicts the pixels.

If signed values are read as unsigned, small negative ones become the largest values, next to small
positive ones. If unsigned values are read as signed, the middle of their range is split. In both
cases many neighbours that are far apart by the header are close in the other interpretation, and
hardly any the other way round.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.image.dicom.frame import Planes
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.smoothness import share_closer, some_rows
from cxrview.image.dicom.stored_values import stored_values

WRONG = "pixel_representation_wrong"
DOUBTFUL = "pixel_representation_doubtful"
_SURE = 0.9
"""Minimum share, among neighbours that differ in the two interpretations, closer in the other."""
_MIN_SHARE = 0.01
"""Minimum share of pixels at either end of the range; letters are fewer."""
_MAX_IN_THE_MIDDLE = 0.1
"""Maximum share of pixels in the middle half of the range, which wrapped values leave empty."""
_MAX_ALIKE = 0.5
"""Maximum share of one value at the far end: white borders and letters have one value."""


def settle_sign(planes: Planes, module: PixelModule) -> tuple[PixelModule, tuple[str, ...]]:
    """Correct Pixel Representation if the pixels show that it is wrong.

    Args:
        planes: the decoded frame; all values fit Bits Stored.
        module: the Image Pixel module.

    Returns:
        The module to pass to `stored_values`, and warnings: `pixel_representation_wrong` if it
        differs from the header, `pixel_representation_doubtful` if a codestream and the header
        disagree, there are negative values, and the pixels do not show which is right.
    """
    if module.samples != 1 or not may_have_other_sign(planes, module):
        return module, ()
    other = replace(module, is_signed=not module.is_signed)
    as_said = stored_values(planes.samples[0], module, planes.precision)
    otherwise = stored_values(planes.samples[0], other, planes.precision)
    bits = min(module.bits_stored, planes.precision)
    share = share_closer(otherwise, as_said, 1 << bits)
    if share is not None and share >= _SURE and not _is_one_value(as_said, bits, module):
        return other, (WRONG,)
    is_stream_signed = planes.samples.dtype.kind == "i"
    return module, (DOUBTFUL,) if is_stream_signed and not module.is_signed else ()


def may_have_other_sign(planes: Planes, module: PixelModule) -> bool:
    """Whether the sign may be wrong, by a few rows: takes some 20 microseconds."""
    if planes.samples.dtype.kind == "f" or module.bits_stored < 2:
        return False
    bits = min(module.bits_stored, planes.precision)
    if not 2 <= bits <= 16:  # a codestream of one bit has no sign
        return False
    values = stored_values(some_rows(planes.samples[0], is_quick=True), module, planes.precision)
    if module.is_signed:
        quarter = 1 << (bits - 2)
        return _are_many(values < -quarter) and _are_many(values > quarter)
    quarter = 1 << (bits - 2)
    is_low, is_high = values < quarter, values >= 3 * quarter
    if not (_are_many(is_low) and _are_many(is_high)):
        return False
    return planes.samples.dtype.kind == "i" or not _are_many(
        ~(is_low | is_high), _MAX_IN_THE_MIDDLE
    )


def _are_many(mask: NDArray[np.bool_], share: float = _MIN_SHARE) -> bool:
    return bool(np.count_nonzero(mask) >= share * mask.size)


def _is_one_value(values: NDArray[Any], bits: int, module: PixelModule) -> bool:
    """Whether an end of the range that neighbours jump to is a border, a shutter or letters."""
    some, quarter = some_rows(values), 1 << (bits - 2)
    if module.is_signed:
        ends = [some[some > quarter], some[some < -quarter]]
    else:
        ends = [some[some >= 3 * quarter]]
    return any(_most_alike(end) for end in ends)


def _most_alike(values: NDArray[Any]) -> bool:
    if not values.size:
        return True
    counts = np.unique(values, return_counts=True)[1]
    return bool(counts.max() > _MAX_ALIKE * values.size)
