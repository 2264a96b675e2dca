"""Read one image (path, bytes, data set or radiograph) as the square that a model takes."""

import copy
import io
import os
from typing import TYPE_CHECKING

from cxrview.errors import UsageError
from cxrview.image import ReadOptions, open_image, squash
from cxrview.records.classification import Radiograph

if TYPE_CHECKING:
    from pydicom import Dataset


def read_square(
    image: "str | os.PathLike[str] | bytes | Dataset | Radiograph",
    side: int,
    *,
    exact: bool = False,
) -> Radiograph:
    """Read an image and resize it to a square.

    Args:
        image: a path or URL, the bytes of a file, a pydicom `Dataset`, or a `Radiograph`.
        side: rows and columns of the square.
        exact: decode every pixel; see `ReadOptions`.

    Returns:
        A radiograph with pixels of shape (side, side).

    Raises:
        UnreadableImage: one of its subclasses; the image has no usable pixels.
        UsageError: the data set has no transfer syntax.
        TypeError: the image is none of these.
    """
    if isinstance(image, Radiograph):
        return Radiograph(
            instance=image.instance,
            pixels=squash(image.pixels, side),
            warnings=image.warnings,
            is_constant=image.is_constant,
        )
    if not isinstance(image, str | os.PathLike | bytes):
        image = _bytes_of_dataset(image)
    return open_image(image, ReadOptions(exact=exact), side=side).decode_square(side)


def _bytes_of_dataset(dataset: "Dataset") -> bytes:
    """Write a data set as a file in memory, so that it is read like a file; it is not changed.

    Raises:
        UsageError: the data set has no transfer syntax.
        TypeError: the argument is not a data set.
    """
    from pydicom import Dataset, dcmwrite

    if not isinstance(dataset, Dataset):
        raise TypeError(
            "an image is a path, bytes, a pydicom Dataset or a cxrview.Radiograph; got "
            f"{type(dataset).__name__}. Model.predict_pixels takes arrays"
        )
    meta = getattr(dataset, "file_meta", None)
    if meta is None or "TransferSyntaxUID" not in meta:
        raise UsageError(
            "the data set has no file_meta.TransferSyntaxUID, which says how its pixels are coded",
            "Set it, or give the path of the file",
        )
    written = copy.copy(dataset)
    written.file_meta = copy.deepcopy(meta)
    file = io.BytesIO()
    dcmwrite(file, written, enforce_file_format=True)
    return file.getvalue()
