"""Native pixels of which there are a multiple of what the header says, or a third.

Bits Allocated or Samples per Pixel is wrong then. What the pixels show decides.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.image.dicom.components import SAMPLES_DIFFER
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.smoothness import is_much_smoother, some_rows
from cxrview.image.window import luma

Unpack = Callable[[PixelModule], NDArray[Any]]
"""Takes the first frame, laid out as told, out of the bytes of the element."""
_COLOURS = ("RGB", "YBR_FULL")
_WIDEST = 32


def unpack_by_length(
    length: int, needed: int, module: PixelModule, unpack: Unpack
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Take the first frame, as the header says or as the number of bytes says.

    Args:
        length: bytes of the element.
        needed: bytes of all frames by the header; at most `length`, but where `is_third` is true.
        module: what the header says.
        unpack: takes the frame.

    Returns:
        Shape (samples, rows, columns), and warnings: `samples_differ` where three values stand
        for each pixel of one, or one for each of three. Wider words than Bits Allocated says are
        taken where these show a much smoother picture.
    """
    if is_third(length, needed, module):
        grey = unpack(replace(module, samples=1, photometric="MONOCHROME2"))
        return np.broadcast_to(grey, (3, *grey.shape[1:])), (SAMPLES_DIFFER,)
    samples = unpack(module)
    for times in (2, 4):
        bits = times * module.bits_allocated
        if module.bits_allocated < 8 or bits > _WIDEST or length != times * needed:
            continue
        words = unpack(replace(module, bits_allocated=bits))
        if is_much_smoother(some_rows(words[0]), some_rows(samples[0])):
            return words, ()
    if _may_be_colour(length, needed, module):
        # Colour by plane, and three frames of grey, begin with a picture as they are. What is
        # colour by pixel is smooth along its rows as grey too, but not down its columns.
        grey = luma(*unpack(replace(module, samples=3, is_planar=False)))
        if is_much_smoother(some_rows(grey.T), some_rows(samples[0].T)):
            return grey[np.newaxis], (SAMPLES_DIFFER,)
    return samples, ()


def is_third(length: int, needed: int, module: PixelModule) -> bool:
    """Whether there is one value for each pixel, where the header says three.

    Args:
        length: bytes of the element, which must not be cut.
        needed: bytes of all frames by the header.
        module: what it says.
    """
    is_colour = module.photometric in _COLOURS and module.frames == 1
    return is_colour and length - needed // 3 in (0, 1)


def _may_be_colour(length: int, needed: int, module: PixelModule) -> bool:
    is_grey = module.photometric.startswith("MONOCHROME") and module.bits_allocated in (8, 16)
    return is_grey and module.frames == 1 and length - 3 * needed in (0, 1)
