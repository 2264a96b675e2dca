"""Handle frames with one component although the header says three, or the other way round.

The number in the stream is used: software that converts between colour and grey more often leaves
the header unchanged than the pixels.
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
        frame: its header declares a number of components.
        count: number of components of the stream.

    Raises:
        CorruptPixels: the numbers are not one and three, or the single one is a palette index.
        TooLarge: the components need more memory than the limits allow.
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
    """Convert decoded planes to the header's number of components; colour to grey by luma."""
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
