"""What an epoch shows to a network: images in an order that seed and epoch alone decide."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cxrview.train.loader import CROP

Images = Callable[[int], NDArray[np.uint8]]
"""Number of an image, 0 to n - 1, to its squashed pixels, shape (256, 256), uint8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """The batches of every epoch.

    Each is drawn from its own number, so that a training taken up again sees what it would have
    seen, whatever the number of workers.
    """

    images: Images
    classes: NDArray[np.int64]
    """Shape (n,)."""
    batch: int
    seed: int
    per_epoch: int | None = None
    """Images of one epoch, drawn anew for each; all n where None, or where n is not more."""
    is_cropped_at_random: bool = True
    """Where all layers train; the centre otherwise (ours: the paper is silent)."""

    @property
    def steps(self) -> int:
        """Batches of one epoch; the last may be smaller."""
        return -(-self._shown // self.batch)

    @property
    def _shown(self) -> int:
        return min(len(self.classes), self.per_epoch or len(self.classes))

    def draw(self, epoch: int, step: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Give one batch.

        Returns:
            Pixels, shape (b, 224, 224), uint8, and classes, shape (b,).
        """
        chosen = self.order(epoch)[step * self.batch : (step + 1) * self.batch]
        rng = np.random.default_rng([self.seed, epoch, step])
        pixels = np.stack([self._crop(self.images(int(k)), rng) for k in chosen])
        return pixels, self.classes[chosen]

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Numbers of an epoch's images, shape (images of one epoch,), read-only, each once."""
        return _order(self.seed, epoch, len(self.classes), self._shown)

    def _crop(self, pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        room = pixels.shape[0] - CROP
        top, left = rng.integers(0, room + 1, 2) if self.is_cropped_at_random else [room // 2] * 2
        return pixels[top : top + CROP, left : left + CROP]


# Every step asks for it, and to permute the 1,281,167 pictures of ILSVRC takes 70 ms.
@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int, shown: int) -> NDArray[np.int64]:
    rng = np.random.default_rng([seed, epoch])
    order: NDArray[np.int64] = rng.permutation(count)[:shown].copy()
    order.setflags(write=False)  # it is everybody's
    return order
