"""Trains a model for the epochs of a schedule, as the paper does, with checkpoints.

Each step seeds its images and dropout with its number, so that a resumed training sees the same as
an uninterrupted one. On CPUs it also ends with the same bits.
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

from cxrview.callbacks import ignore
from cxrview.errors import UsageError
from cxrview.image import SIDE
from cxrview.paper.candidates import Schedule
from cxrview.train.batch import CROP
from cxrview.train.batch_rows import BatchRows
from cxrview.train.callbacks import TrainingWatch
from cxrview.train.checkpoint import TrainingIdentity, save_checkpoint
from cxrview.train.distributed import ALONE, Processes
from cxrview.train.googlenet import GoogLeNet, Outputs
from cxrview.train.loop import as_input, mean_over_rows, seed_dropout

Images = Callable[[int], NDArray[np.uint8]]
"""Takes the number of an image, 0 to n - 1; gives its squashed pixels, shape (256, 256), uint8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitPasses:
    """Complete passes over all images, divided into epochs of equal length.

    The epochs of a schedule then show every image equally often, although one epoch is less than
    a pass.
    """

    passes: int
    """How often all epochs together show every image."""
    epochs: int
    """Number of epochs that the passes are divided into."""

    def bounds(self, epoch: int, count: int) -> tuple[int, int]:
        """Start and end (excluded) of an epoch in the passes over `count` images."""
        total = self.passes * count
        return epoch * total // self.epochs, (epoch + 1) * total // self.epochs

    def shortest(self, count: int) -> int:
        """Images of the shortest epoch; every other has at most one more."""
        return self.passes * count // self.epochs


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """The batches of every epoch.

    Each is seeded with its number, so that a resumed training sees the same batches.

    Raises:
        UsageError: there are fewer images than epochs to divide the passes into.
    """

    images: Images
    classes: NDArray[np.int64]
    """Shape (n,)."""
    batch: int
    seed: int
    per_epoch: int | None = None
    """Images of one epoch, sampled again for each; None for all n, or where n is not more."""
    spread: SplitPasses | None = None
    """Instead of `per_epoch`: epochs that together are complete passes over all images."""
    is_cropped_at_random: bool = True
    """Where all layers are trained; otherwise the centre crop. Ours: the paper does not say."""

    def __post_init__(self) -> None:
        if self.spread and self.spread.shortest(len(self.classes)) < 1:
            raise UsageError(
                f"{len(self.classes)} images cannot be divided into {self.spread.epochs} epochs",
                "Use fewer epochs or another scale",
            )

    @property
    def steps(self) -> int:
        """Batches of one epoch. The last may be smaller; of divided passes, sizes differ by one."""
        shown = self.spread.shortest(len(self.classes)) if self.spread else self._shown
        return -(-shown // self.batch)

    @property
    def _shown(self) -> int:
        return min(len(self.classes), self.per_epoch or len(self.classes))

    def sample(
        self, epoch: int, step: int, processes: Processes = ALONE
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64], BatchRows]:
        """Sample one batch, or the rows of it that one of several processes computes.

        Returns:
            Pixels, shape (b, 224, 224), uint8, classes, shape (b,), and which rows they are; b is
            0 where a batch has fewer images than there are processes.
        """
        order = self.order(epoch)
        if self.spread:  # epochs differ by an image, and all have as many steps
            first, end = (k * len(order) // self.steps for k in (step, step + 1))
        else:
            first, end = step * self.batch, min((step + 1) * self.batch, len(order))
        rows = processes.rows(end - first)
        chosen = order[first:end][rows.part]
        corners = self._corners(np.random.default_rng([self.seed, epoch, step]), end - first)
        pixels = np.empty((len(chosen), CROP, CROP), np.uint8)
        for place, k, (top, left) in zip(pixels, chosen, corners[rows.part], strict=True):
            place[:] = self.images(int(k))[top : top + CROP, left : left + CROP]
        return pixels, self.classes[chosen], rows

    def order(self, epoch: int) -> NDArray[np.int64]:
        """Numbers of an epoch's images, shape (images of one epoch,), read-only, each once.

        Of divided passes, an image occurs twice only where one pass ends and another begins.
        """
        count = len(self.classes)
        if not self.spread:
            return _order(self.seed, epoch, count, self._shown)
        first, end = self.spread.bounds(epoch, count)
        passes = [
            _order(self.seed, number, count, count)[
                max(first - number * count, 0) : end - number * count
            ]
            for number in range(first // count, -(-end // count))
        ]
        order = np.concatenate(passes)
        order.setflags(write=False)
        return order

    def _corners(self, rng: np.random.Generator, count: int) -> list[tuple[int, int]]:
        """Top and left of the crops of a batch."""
        room = SIDE - CROP
        if not self.is_cropped_at_random:
            return [(room // 2, room // 2)] * count
        drawn = (rng.integers(0, room + 1, 2).tolist() for _ in range(count))
        return [(top, left) for top, left in drawn]


# Every step needs it, and to permute the 1,281,167 pictures of ILSVRC takes 70 ms.
@lru_cache(maxsize=4)
def _order(seed: int, epoch: int, count: int, shown: int) -> NDArray[np.int64]:
    rng = np.random.default_rng([seed, epoch])
    order: NDArray[np.int64] = rng.permutation(count)[:shown].copy()
    order.setflags(write=False)  # all callers share it
    return order


CHECKPOINT_EVERY = 100
"""Steps between two checkpoints, at most;"""
CHECKPOINT_SECONDS = 120.0
"""and time between them, where steps are slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training: batches, schedule, checkpoint and device."""

    batches: Batches
    schedule: Schedule
    seed: int
    """Of dropout; the batches have their own seed."""
    checkpoint: Path
    belongs: TrainingIdentity
    """Identifies the training; a checkpoint of another one is refused."""
    device: str = "cpu"
    processes: Processes = ALONE
    """The first writes the checkpoint."""
    report: Callable[[int, float], None] = ignore
    """Called after each step with its number, from 1, and its loss; in the first process."""


def report_epochs(
    watch: TrainingWatch, steps: int, epochs: int, accuracy: Callable[[], float]
) -> Callable[[int, float], None]:
    """Make `Training.report` of a watch.

    Args:
        watch: called after each step, and after each epoch with the accuracy.
        steps: of one epoch.
        epochs: of the training.
        accuracy: computes the accuracy on held-out images, 0 to 1.
    """

    def report(step: int, loss: float) -> None:
        watch.step(step, steps * epochs, loss)
        epoch, rest = divmod(step, steps)
        if rest == 0:
            watch.epoch(epoch, epochs, accuracy())

    return report


def train_all_layers(model: GoogLeNet, training: Training) -> None:
    """Train every layer in place, also auxiliary classifiers if the model has them.

    bf16 autocast and channels-last memory are faster on CPUs and GPUs. The last epoch is kept,
    never the best one (ours). On CPUs of one kind with one number of threads a resumed training
    gives the same bits. On GPUs the order of additions is not fixed: sums may be rounded
    differently from run to run.

    Args:
        model: with as many classes as the batches.
        training: batches, schedule, checkpoint and device.

    Raises:
        InvalidModel: the checkpoint belongs to another training.
    """
    schedule, steps = training.schedule, training.batches.steps
    processes = training.processes
    model.train().to(training.device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = sgd(model, schedule)
    done = processes.restore(training.checkpoint, model, optimiser, training.belongs)
    parallel = processes.data_parallel(model, training.device)
    total, kept = schedule.epochs * steps, time.monotonic()
    for number in range(done, total):
        epoch, step = divmod(number, steps)
        set_rate(optimiser, schedule.rate_at(epoch))
        pixels, classes, rows = training.batches.sample(epoch, step, processes)
        seed_dropout(training.seed, number)
        with torch.autocast(torch.device(training.device).type, dtype=torch.bfloat16):
            outputs = parallel(as_input(pixels, training.device), rows)
        truth = torch.from_numpy(classes).to(training.device)
        loss = _loss(outputs, truth, schedule.auxiliary_weight, rows)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        mean = processes.mean(loss)
        if not processes.is_first:
            continue
        training.report(number + 1, mean)
        is_due = time.monotonic() - kept >= CHECKPOINT_SECONDS
        if is_due or (number + 1) % CHECKPOINT_EVERY == 0 or number + 1 == total:
            save_checkpoint(training.checkpoint, model, optimiser, training.belongs, number + 1)
            kept = time.monotonic()


def sgd(model: torch.nn.Module, schedule: Schedule) -> torch.optim.SGD:
    """Make the optimiser of a schedule for all parameters that are trained."""
    return torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad],
        lr=schedule.rate,
        momentum=schedule.momentum,
        weight_decay=schedule.weight_decay,
        nesterov=schedule.is_nesterov,
    )


def set_rate(optimiser: torch.optim.SGD, rate: float) -> None:
    """Set the learning rate of all parameters."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def _loss(
    outputs: Outputs, truth: torch.Tensor, auxiliary_weight: float, rows: BatchRows
) -> torch.Tensor:
    """Loss whose mean over the processes is that of the complete batch."""
    loss = mean_over_rows(functional.cross_entropy, outputs.main, truth, rows)
    for auxiliary in (outputs.loss1, outputs.loss2):
        if auxiliary is not None:
            mean = mean_over_rows(functional.cross_entropy, auxiliary, truth, rows)
            loss = loss + auxiliary_weight * mean
    return loss
