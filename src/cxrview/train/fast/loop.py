"""The training loop of the fast model: averaged weights, checkpoints, a clean stop."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrview.callbacks import ignore
from cxrview.errors import RunStopped
from cxrview.train.checkpoint import load_weights, restore_checkpoint, save_checkpoint
from cxrview.train.fast.batch import sample_batches
from cxrview.train.fast.loss import sum_losses
from cxrview.train.fast.model import GREY_MEAN, GREY_SCALE, FastModel, decayed
from cxrview.train.fast.pictures import open_pictures
from cxrview.train.fast.recipe import FastRecipe
from cxrview.train.hardware import CPU, Hardware

CHECKPOINT_SECONDS = 60.0
START_SHARE, END_SHARE = 1 / 25, 1e-4
"""Learning rate of the first and of the last step, as shares of the highest."""


class Trained(nn.Module):
    """A model in training and the exponential average of its weights, which is the result.

    Args:
        width: of both.
    """

    def __init__(self, width: float) -> None:
        super().__init__()
        self.current = FastModel(width)
        self.average = FastModel(width)
        self.average.load_state_dict(self.current.state_dict())
        self.average.requires_grad_(False).eval()

    @torch.no_grad()
    def follow(self, decay: float, step: int) -> None:
        """Move the average towards the current weights, faster in the first steps.

        Args:
            decay: of the average, per step.
            step: just done, from 0.
        """
        share = 1 - min(decay, (1 + step) / (10 + step))
        for mean, value in zip(
            self.average.state_dict().values(), self.current.state_dict().values(), strict=True
        ):
            if mean.is_floating_point():
                mean.lerp_(value, share)
            else:  # batch normalisation counts its batches
                mean.copy_(value)


def train_fast_model(
    folder: Path,
    recipe: FastRecipe,
    *,
    seed: int,
    checkpoint: Path,
    hardware: Hardware = CPU,
    is_stopped: Callable[[], bool] = lambda: False,
    report: Callable[[int, float], None] = ignore,
) -> FastModel:
    """Train from scratch, or resume from a checkpoint; gives the averaged model.

    Stochastic gradient descent with Nesterov momentum and a one-cycle learning rate; bf16 in the
    convolutions. On a processor and one number of threads a resumed run gives the same bits.

    Args:
        folder: of `prepare_pictures`.
        recipe: all settings.
        seed: decides the first weights and every batch.
        checkpoint: .safetensors file, replaced once a minute and at the end.
        hardware: device and worker processes. The batches are the same on all.
        is_stopped: called after each step; True saves a checkpoint and ends the run.
        report: called after each step with its number, from 1, and its loss.

    Raises:
        UsageError: the folder is not complete, or pictures that the recipe needs are missing.
        InvalidModel: the checkpoint belongs to another recipe, seed or pictures.
        RunStopped: `is_stopped` was True; the same call resumes.
    """
    torch.manual_seed(seed)
    trained = Trained(recipe.width).to(hardware.device)
    trained.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = _optimiser(trained.current, recipe)
    belongs = {
        "recipe": repr(sorted(asdict(recipe).items())),
        "seed": str(seed),
        "pictures": open_pictures(folder).sha256,
    }
    first = restore_checkpoint(checkpoint, trained, optimiser, belongs)
    saved = time.monotonic()
    batches = sample_batches(folder, recipe, seed=seed, first=first, workers=hardware.workers)
    for step, batch in enumerate(batches, start=first):
        trained.current.train()
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, recipe)
        with torch.autocast(torch.device(hardware.device).type, dtype=torch.bfloat16):
            logits = trained.current(as_input(batch.pixels, hardware.device))
        loss = sum_losses(logits, batch, recipe.label_smoothing)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        trained.follow(recipe.average_decay, step)
        report(step + 1, loss.item())
        is_last, must_stop = step + 1 == recipe.steps, is_stopped()
        if is_last or must_stop or time.monotonic() - saved >= CHECKPOINT_SECONDS:
            save_checkpoint(checkpoint, trained, optimiser, belongs, step + 1)
            saved = time.monotonic()
        if must_stop and not is_last:
            raise RunStopped(
                f"the training was stopped after step {step + 1} of {recipe.steps}",
                "The same command resumes it",
            )
    return trained.average.cpu()


def load_average(checkpoint: Path, recipe: FastRecipe) -> FastModel:
    """Load the averaged model of a checkpoint at any step."""
    trained = Trained(recipe.width)
    load_weights(checkpoint, trained)
    return trained.average


def learning_rate(step: int, recipe: FastRecipe) -> float:
    """Compute the learning rate of a step, from 0: it rises and then falls, each along a cosine.

    Source:
        Smith and Topin, Super-Convergence, 2019 (one cycle).
    """
    rising = max(1, round(recipe.rise * recipe.steps))
    if step < rising:
        return recipe.peak_rate * _cosine(START_SHARE, 1.0, step / rising)
    falling = max(1, recipe.steps - 1 - rising)
    return recipe.peak_rate * _cosine(1.0, END_SHARE, min(1.0, (step - rising) / falling))


def as_input(pixels: NDArray[np.uint8], device: str = "cpu") -> Tensor:
    """Turn grey (n, 224, 224) uint8 into the model's input, (n, 1, 224, 224) float."""
    grey = torch.from_numpy(np.ascontiguousarray(pixels)).to(device).float()
    scaled = ((grey - GREY_MEAN) / GREY_SCALE)[:, None]
    return scaled.contiguous(memory_format=torch.channels_last)


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _optimiser(model: FastModel, recipe: FastRecipe) -> torch.optim.SGD:
    with_decay, without = decayed(model)
    return torch.optim.SGD(
        [
            {"params": with_decay, "weight_decay": recipe.weight_decay},
            {"params": without, "weight_decay": 0.0},
        ],
        lr=recipe.peak_rate,
        momentum=recipe.momentum,
        nesterov=True,
    )
