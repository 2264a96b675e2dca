"""A file that was opened once: its header facts now, its pixels when they are wanted."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxrview.image.resize import SIDE, squash
from cxrview.records import Instance, Radiograph


@dataclass(frozen=True, slots=True, kw_only=True)
class GreyImage:
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
    decode: Callable[[], GreyImage]
    """Decodes and windows the first plane; raises a child of `UnreadableImage`."""
    shrink: Callable[[int], GreyImage | None] | None = None
    """The fast reader's way from the file to a square of so many rows and columns; raises as
    `decode` does. None where all pixels are wanted, however few are left. What it gives is None
    only where `whole` is the way."""
    whole: Callable[[], "ImageFile"] | None = None
    """Of a distant file that was read in part: reads what is left, and opens it all."""

    def radiograph(self) -> Radiograph:
        """Decode the pixels.

        Raises:
            UnreadableImage: one of its children, naming why there are no pixels.
        """
        if self.whole is not None:
            return self.whole().radiograph()
        return self._with(self.decode())

    def squashed(self, side: int = SIDE) -> Radiograph:
        """Decode the pixels and squash them to the network's square.

        Unless the file was opened with `ReadOptions.exact`, this is the fast reader: it need not
        decode what a square of `side` does not show.

        Args:
            side: rows and columns of the result.

        Raises:
            UnreadableImage: one of its children, naming why there are no pixels.
        """
        if self.shrink is not None and (grey := self.shrink(side)) is not None:
            return self._with(grey)
        if self.whole is not None:
            return self.whole().squashed(side)
        grey = self.decode()
        return self._with(replace(grey, pixels=squash(grey.pixels, side)))

    def _with(self, grey: GreyImage) -> Radiograph:
        return Radiograph(
            instance=self.instance,
            pixels=grey.pixels,
            warnings=self.warnings + grey.warnings,
            is_constant=grey.is_constant,
        )
