"""Reads a file as `classify` and as `read_radiograph` do."""

import numpy as np

from cxrview.errors import UnreadableImage
from cxrview.image import open_image

SIDE = 32


def read_both(data: bytes) -> None:
    """Read by the fast and by the exact reader: each gives pixels, or an error with its own code.

    Raises:
        AssertionError: the pixels have another shape or type, or the code is that of
            unexpected errors.
    """
    for is_fast in (True, False):
        try:
            file = open_image(data, side=SIDE)
            read = file.decode_square(SIDE) if is_fast else file.decode()
        except UnreadableImage as error:
            assert error.code != "unreadable", error
            continue
        assert read.pixels.dtype == np.uint8
        assert read.pixels.shape[0] > 0
        assert not is_fast or read.pixels.shape == (SIDE, SIDE)
        assert len(read.instance.manufacturer) <= 64
