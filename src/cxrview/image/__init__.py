"""Read radiographs (DICOM, PNG, JPEG, TIFF) into 8-bit grey arrays."""

from cxrview.image.image_file import ImageFile
from cxrview.image.limits import Limits
from cxrview.image.open import open_image, read_radiograph
from cxrview.image.options import ReadOptions
from cxrview.image.resize import SIDE, squash
from cxrview.image.window import minmax_to_uint8
from cxrview.sources.find import find_images

__all__ = [
    "SIDE",
    "ImageFile",
    "Limits",
    "ReadOptions",
    "find_images",
    "minmax_to_uint8",
    "open_image",
    "read_radiograph",
    "squash",
]
