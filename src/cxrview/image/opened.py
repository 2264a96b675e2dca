"""A file that was opened once: its header facts now, its pixels when they are wanted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.records import Instance, Radiograph


@dataclass(frozen=True, slots=True, kw_only=True)
class Grey:
    """What a decoder gives: shape (rows, columns), uint8, bone bright, and what to know of it."""

    pixels: NDArray[np.uint8]
    is_constant: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """An opened file: what its header claims, and the pixels on demand."""

    instance: Instance
    warnings: tuple[str, ...] = ()
    """Codes of what was odd about the header."""
    decode: Callable[[], Grey]
    """Decodes and windows the first plane; raises a child of `UnreadableImage`."""

    def radiograph(self) -> Radiograph:
        """Decode the pixels.

        Raises:
            UnreadableImage: one of its children, naming why there are no pixels.
        """
        grey = self.decode()
        return Radiograph(
            instance=self.instance,
            pixels=grey.pixels,
            warnings=self.warnings + grey.warnings,
            is_constant=grey.is_constant,
        )
