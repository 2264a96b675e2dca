"""Trains a network for the epochs of a schedule, as the paper does; stopped, it goes on.

Every step draws its images and its dropped units from its own number, so that a resumed training
is shown what an unstopped one is. That it ends at the same bits is promised for processors alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from cxrview.errors import UsageError
from cxrview.paper.candidates import Schedule
from cxrview.train.batch import CROP
from cxrview.train.checkpoint import Belongs, restore_checkpoint, save_checkpoint
from cxrview.train.googlenet import GoogLeNet, Outputs
from cxrview.train.loop import as_input

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


CHECKPOINT_EVERY = 100
"""Steps. A stop costs the time of so many at the most,"""
CHECKPOINT_SECONDS = 120.0
"""and not much more than this where steps are slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training: what is shown, how it is learnt from, and where it is kept."""

    batches: Batches
    schedule: Schedule
    seed: int
    """Of the dropped units; that of the batches is their own."""
    checkpoint: Path
    belongs: Belongs
    """What only this training is; a checkpoint of another is refused."""
    device: str = "cpu"
    report: Callable[[int, float], None] = lambda step, loss: None
    """Called after each step with its number, from 1, and its loss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a caller is told while it trains."""

    step: Callable[[int, int, float], None] = lambda step, total, loss: None
    """Number of the step, from 1, of how many, and its loss."""
    epoch: Callable[[int, int, float], None] = lambda epoch, total, accuracy: None
    """Epochs done, of how many, and the share of watched validation images that is right."""
    images: Callable[[int, int, str], None] = lambda more, total, what: None
    """How many more images the network was asked about, of how many, and what for."""

    def reporter(
        self, steps: int, epochs: int, accuracy: Callable[[], float]
    ) -> Callable[[int, float], None]:
        """For `Training.report`: counts epochs of so many steps, and validates after each."""

        def report(step: int, loss: float) -> None:
            self.step(step, steps * epochs, loss)
            epoch, rest = divmod(step, steps)
            if rest == 0:
                self.epoch(epoch, epochs, accuracy())

        return report


def train_all_layers(network: GoogLeNet, training: Training) -> None:
    """Train every layer in place, auxiliary classifiers too if the network has them.

    bf16 where the arithmetic allows, channels last: both are faster on processors and GPUs
    alike. The last epoch counts, never the best one (ours). On processors of one kind and with
    one number of threads a resumed training gives the same bits. On GPUs nothing is done to
    have kernels add in a fixed order: sums may be rounded otherwise from one run to the next.

    Args:
        network: with as many classes as the batches name.
        training: what, how, and where.

    Raises:
        InvalidModel: the checkpoint belongs to another training.
    """
    schedule, steps = training.schedule, training.batches.steps
    network.train().to(training.device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = sgd(network, schedule)
    done = restore_checkpoint(training.checkpoint, network, optimiser, training.belongs)
    total, kept = schedule.epochs * steps, time.monotonic()
    for number in range(done, total):
        epoch, step = divmod(number, steps)
        set_rate(optimiser, schedule.rate_at(epoch))
        pixels, classes = training.batches.draw(epoch, step)
        torch.manual_seed(training.seed * 1_000_003 + number)  # dropout, repeatable from any step
        with torch.autocast(torch.device(training.device).type, dtype=torch.bfloat16):
            outputs = network(as_input(pixels, training.device))
        truth = torch.from_numpy(classes).to(training.device)
        loss = _loss(outputs, truth, schedule.auxiliary_weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        training.report(number + 1, loss.item())
        is_due = time.monotonic() - kept >= CHECKPOINT_SECONDS
        if is_due or (number + 1) % CHECKPOINT_EVERY == 0 or number + 1 == total:
            save_checkpoint(training.checkpoint, network, optimiser, training.belongs, number + 1)
            kept = time.monotonic()


def sgd(network: torch.nn.Module, schedule: Schedule) -> torch.optim.SGD:
    """Stochastic gradient descent over the parameters that may change."""
    return torch.optim.SGD(
        [p for p in network.parameters() if p.requires_grad],
        lr=schedule.rate,
        momentum=schedule.momentum,
        weight_decay=schedule.weight_decay,
        nesterov=schedule.is_nesterov,
    )


def set_rate(optimiser: torch.optim.SGD, rate: float) -> None:
    """Set one learning rate for all."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def _loss(outputs: Outputs, truth: torch.Tensor, auxiliary_weight: float) -> torch.Tensor:
    loss = functional.cross_entropy(outputs.main.float(), truth)
    for auxiliary in (outputs.loss1, outputs.loss2):
        if auxiliary is not None:
            loss = loss + auxiliary_weight * functional.cross_entropy(auxiliary.float(), truth)
    return loss
