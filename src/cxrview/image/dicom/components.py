"""Pixels of one component where the header says three, or of three where it says one.

The stream is believed: software that converts between colour and grey forgets the header more
often than the pixels.
"""

from dataclasses import replace

import numpy as np

from cxrview.errors import CorruptPixels
from cxrview.image.dicom.frame import Frame, Planes
from cxrview.image.limits import check_pixels
from cxrview.image.window import luma

SAMPLES_DIFFER = "samples_differ"


def check_components(frame: Frame, count: int) -> None:
    """Refuse a number of components that cannot be converted to that of the header.

    Args:
        frame: whose header says how many there should be.
        count: how many the stream has.

    Raises:
        CorruptPixels: neither is one and the other three, or the one is an index to a palette.
        TooLarge: they would take more memory than the limits allow.
    """
    module = frame.module
    if count == module.samples:
        return
    if {count, module.samples} != {1, 3} or module.photometric == "PALETTE COLOR":
        raise CorruptPixels(
            frame.path,
            f"its compressed pixels have {count} components, but its header says {module.samples}",
            "Export it again; its header and its pixels contradict each other",
        )
    check_pixels(frame.path, module.decoded_bytes // module.samples * count, frame.limits)


def fit_components(frame: Frame, planes: Planes) -> Planes:
    """Convert decoded planes to the number of components of the header; grey by luma."""
    samples, expected = planes.samples, frame.module.samples
    if len(samples) == expected:
        return planes
    if expected == 1:
        grey = samples[0] if planes.is_luma_first else luma(*samples)
        fitted, is_luma_first = grey[np.newaxis], False
    else:
        fitted, is_luma_first = np.broadcast_to(samples, (expected, *samples.shape[1:])), True
    return replace(
        planes,
        samples=fitted,
        is_luma_first=is_luma_first,
        warnings=(*planes.warnings, SAMPLES_DIFFER),
    )
