"""An open image file: header facts at once, pixels on request."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxrview.image.resize import SIDE, squash
from cxrview.records.classification import Instance, Radiograph


@dataclass(frozen=True, slots=True, kw_only=True)
class GreyImage:
    """Decoded pixels: shape (rows, columns), uint8, 0 to 255, bone bright."""

    pixels: NDArray[np.uint8]
    is_constant: bool = False
    """Whether every pixel has the same value."""
    warnings: tuple[str, ...] = ()
    """Codes of warnings, as in `docs/reading.md`."""


class ImageFile(ABC):
    """An open image file; `open_image` returns one.

    It holds the bytes of the file. Each call decodes the pixels again.

    Attributes:
        instance: path, digest and header facts.
        warnings: codes of warnings about the header.
    """

    def __init__(self, instance: Instance, warnings: tuple[str, ...] = ()) -> None:
        self.instance = instance
        self.warnings = warnings

    @abstractmethod
    def decode(self) -> Radiograph:
        """Decode the first frame or page in full.

        Returns:
            Shape (rows, columns), uint8, windowed from minimum to maximum.

        Raises:
            UnreadableImage: one of its subclasses, with the reason.
        """

    def decode_square(self, side: int = SIDE) -> Radiograph:
        """Decode the first frame or page as a square; the aspect ratio is not kept.

        Unless the file was opened with `ReadOptions.exact`, subclasses decode only as much of the
        file as a square of this size needs.

        Args:
            side: rows and columns of the result.

        Returns:
            Shape (side, side), uint8, as the model takes it.

        Raises:
            UnreadableImage: one of its subclasses, with the reason.
        """
        radiograph = self.decode()
        return replace(radiograph, pixels=squash(radiograph.pixels, side))

    def _radiograph(self, grey: GreyImage) -> Radiograph:
        return Radiograph(
            instance=self.instance,
            pixels=grey.pixels,
            warnings=self.warnings + grey.warnings,
            is_constant=grey.is_constant,
        )
