"""What an epoch shows to a network: images in an order that seed and epoch alone decide."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cxrview.errors import UsageError
from cxrview.train.batch import CROP

Images = Callable[[int], NDArray[np.uint8]]
"""Number of an image, 0 to n - 1, to its squashed pixels, shape (256, 256), uint8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Whole passes over all images, cut into epochs of one length.

    The epochs of a schedule then show every image equally often, although one epoch alone is less
    than a pass.
    """

    passes: int
    """How often every image is shown in all epochs together."""
    epochs: int
    """Into which the passes are cut."""

    def part(self, epoch: int, count: int) -> tuple[int, int]:
        """First and last place, the latter excluded, of an epoch in the passes over `count`."""
        total = self.passes * count
        return epoch * total // self.epochs, (epoch + 1) * total // self.epochs

    def least(self, count: int) -> int:
        """Images of the shortest epoch; no other has more than one image more."""
        return self.passes * count // self.epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """The batches of every epoch.

    Each is drawn from its own number, so that a training taken up again sees what it would have
    seen, whatever the number of workers.

    Raises:
        UsageError: there are fewer images than epochs that they are spread over.
    """

    images: Images
    classes: NDArray[np.int64]
    """Shape (n,)."""
    batch: int
    seed: int
    per_epoch: int | None = None
    """Images of one epoch, drawn anew for each; all n where None, or where n is not more."""
    spread: Spread | None = None
    """In place of `per_epoch`: epochs that together are whole passes over all images."""
    is_cropped_at_random: bool = True
    """Where all layers train; the centre otherwise (ours: the paper is silent)."""

    def __post_init__(self) -> None:
        if self.spread and self.spread.least(len(self.classes)) < 1:
            raise UsageError(
                f"{len(self.classes)} images cannot be spread over {self.spread.epochs} epochs",
                "Ask for fewer epochs or another scale",
            )

    @property
    def steps(self) -> int:
        """Batches of one epoch. The last may be smaller; where spread, they differ by an image."""
        shown = self.spread.least(len(self.classes)) if self.spread else self._shown
        return -(-shown // self.batch)

    @property
    def _shown(self) -> int:
        return min(len(self.classes), self.per_epoch or len(self.classes))

    def draw(self, epoch: int, step: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Give one batch.

        Returns:
            Pixels, shape (b, 224, 224), uint8, and classes, shape (b,).
        """
        order = self.order(epoch)
        if self.spread:  # epochs differ by an image, and all have as many steps
            first, end = (k * len(order) // self.steps for k in (step, step + 1))
        else:
            first, end = step * self.batch, (step + 1) * self.batch
        chosen = order[first:end]
        rng = np.random.default_rng([self.seed, epoch, step])
        pixels = np.stack([self._crop(self.images(int(k)), rng) for k in chosen])
        return pixels, self.classes[chosen]

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Numbers of an epoch's images, shape (images of one epoch,), read-only, each once.

        Where spread, an image stands twice in an epoch only where one pass ends and another begins.
        """
        count = len(self.classes)
        if not self.spread:
            return _order(self.seed, epoch, count, self._shown)
        first, end = self.spread.part(epoch, count)
        passes = [
            _order(self.seed, number, count, count)[
                max(first - number * count, 0) : end - number * count
            ]
            for number in range(first // count, -(-end // count))
        ]
        order = np.concatenate(passes)
        order.setflags(write=False)
        return order

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
