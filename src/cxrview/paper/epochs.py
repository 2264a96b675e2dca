"""Trains a network for the epochs of a schedule, as the paper does; stopped, it goes on.

Every step draws its images and its dropped units from its own number, so that a resumed training
is shown what an unstopped one is. That it ends at the same bits is promised for processors alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional

from cxrview.paper.batches import Batches
from cxrview.paper.candidates import Schedule
from cxrview.train.checkpoint import Belongs, restore_checkpoint, save_checkpoint
from cxrview.train.googlenet import GoogLeNet, Outputs
from cxrview.train.loop import as_input

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
        ModelRefused: the checkpoint belongs to another training.
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
