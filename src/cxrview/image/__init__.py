"""Other people's files in, grey pixels out: the only room that opens a radiograph."""

from cxrview.image.find import find_images
from cxrview.image.fit import fitted
from cxrview.image.limits import Limits, ReadOptions
from cxrview.image.opened import ImageFile
from cxrview.image.reader import open_image, read_radiograph
from cxrview.image.resize import SIDE, squash
from cxrview.image.window import minmax_to_uint8

__all__ = [
    "SIDE",
    "ImageFile",
    "Limits",
    "ReadOptions",
    "find_images",
    "fitted",
    "minmax_to_uint8",
    "open_image",
    "read_radiograph",
    "squash",
]
