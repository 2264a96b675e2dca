"""Handle native pixels whose length is a multiple of the length by the header, or a third of it.

Then Bits Allocated or Samples per Pixel is wrong; which of them follows from the smoothness.
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
"""Unpacks the first frame by an Image Pixel module."""
_COLOURS = ("RGB", "YBR_FULL")
_WIDEST = 32


def unpack_by_length(
    length: int, needed: int, module: PixelModule, unpack: Unpack
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Unpack the first frame by the header, or by the number of bytes.

    Args:
        length: bytes of the element.
        needed: bytes of all frames by the header; at most `length`, unless `is_third`.
        module: the Image Pixel module.
        unpack: unpacks the frame.

    Returns:
        Shape (samples, rows, columns), and warnings: `samples_differ` if there are three values for
        each grey pixel, or one for each colour pixel. Words wider than Bits Allocated are read if
        the picture is then much smoother.
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
        # Colour by plane and three grey frames begin with a grey picture. Colour by pixel that is
        # read as grey is smooth along rows, too, but not along columns.
        grey = luma(*unpack(replace(module, samples=3, is_planar=False)))
        if is_much_smoother(some_rows(grey.T), some_rows(samples[0].T)):
            return grey[np.newaxis], (SAMPLES_DIFFER,)
    return samples, ()


def is_third(length: int, needed: int, module: PixelModule) -> bool:
    """Whether there is one value for each pixel, although the header says three.

    Args:
        length: bytes of the element, which must be complete.
        needed: bytes of all frames by the header.
        module: the Image Pixel module.
    """
    is_colour = module.photometric in _COLOURS and module.frames == 1
    return is_colour and length - needed // 3 in (0, 1)


def _may_be_colour(length: int, needed: int, module: PixelModule) -> bool:
    is_grey = module.photometric.startswith("MONOCHROME") and module.bits_allocated in (8, 16)
    return is_grey and module.frames == 1 and length - 3 * needed in (0, 1)
