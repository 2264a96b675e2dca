"""The training loop: steps of a recipe, checkpointed so that a stop costs a few minutes at most."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from cxrview.errors import ModelRefused
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loader import LabelledPixels, centre_crop, draw_batch
from cxrview.train.recipes import GREY_MEAN, Recipe

CHECKPOINT_EVERY = 50

logger = logging.getLogger(__name__)


def fine_tune(
    network: GoogLeNet,
    training: LabelledPixels,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint: Path,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> None:
    """Train a pre-trained two-class network in place; goes on from `checkpoint` if it exists.

    Nesterov momentum under a one-cycle schedule, bf16 where the arithmetic allows, all
    layers. On one device and thread count a resumed run gives the same bits.

    Args:
        network: two classes, frontal being class 1; built without auxiliary classifiers.
        training: of the training partition only.
        recipe: steps, rates and weights.
        seed: decides every batch and every dropped unit.
        checkpoint: .safetensors file, replaced every 50 steps and at the end.
        report: called after each step with its number, from 1, and its loss.

    Raises:
        ModelRefused: the checkpoint belongs to another recipe or seed.
    """
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser, schedule = _optimiser(network, recipe)
    first = _restore(checkpoint, network, optimiser, schedule, recipe, seed)
    for step in range(first, recipe.steps):
        pixels, is_frontal = draw_batch(training, recipe, seed=seed, step=step)
        torch.manual_seed(seed * 1_000_003 + step)  # dropout, repeatable from any step
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = network(as_input(pixels)).main
        loss = functional.cross_entropy(logits.float(), torch.from_numpy(is_frontal).long())
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        report(step + 1, loss.item())
        if (step + 1) % CHECKPOINT_EVERY == 0 or step + 1 == recipe.steps:
            _save(checkpoint, network, optimiser, recipe, seed, step + 1)


def steps_done(checkpoint: Path) -> int:
    """How far a training has come; 0 where there is no checkpoint."""
    if not checkpoint.exists():
        return 0
    with safe_open(checkpoint, framework="pt") as stored:
        return int(stored.metadata()["step"])


def predict_pfi(
    network: GoogLeNet, pixels: NDArray[np.uint8], *, batch: int = 32
) -> NDArray[np.float64]:
    """Probability of frontal in percent, shape (n,), of squashed pixels (n, 256, 256) uint8."""
    network.eval()
    pfi = []
    with torch.inference_mode():
        for start in range(0, len(pixels), batch):
            logits = network(as_input(centre_crop(pixels[start : start + batch]))).main
            pfi.append(100 * logits.softmax(dim=1)[:, 1].double().numpy())
    return np.concatenate(pfi)


def as_input(pixels: NDArray[np.uint8]) -> Tensor:
    """Grey (n, rows, columns) uint8 to the network's three equal channels, mean taken off."""
    grey = torch.from_numpy(np.ascontiguousarray(pixels)).float() - GREY_MEAN
    return grey[:, None].repeat(1, 3, 1, 1).contiguous(memory_format=torch.channels_last)


def _optimiser(
    network: GoogLeNet, recipe: Recipe
) -> tuple[torch.optim.SGD, torch.optim.lr_scheduler.OneCycleLR]:
    classifier = list(network.classifier.parameters())
    trunk = [p for key, p in network.named_parameters() if not key.startswith("classifier.")]
    optimiser = torch.optim.SGD(
        [{"params": trunk}, {"params": classifier}],
        lr=recipe.peak_rate_trunk,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=True,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        max_lr=[recipe.peak_rate_trunk, recipe.peak_rate_classifier],
        total_steps=recipe.steps,
        cycle_momentum=False,
    )
    return optimiser, schedule


def _save(
    path: Path, network: GoogLeNet, optimiser: torch.optim.SGD, recipe: Recipe, seed: int, step: int
) -> None:
    tensors = {f"network.{k}": v.contiguous() for k, v in network.state_dict().items()}
    for key, parameter in network.named_parameters():
        momentum = optimiser.state[parameter].get("momentum_buffer")
        if momentum is not None:
            tensors[f"momentum.{key}"] = momentum.contiguous()
    belongs = {
        "recipe": repr(recipe),
        "seed": str(seed),
        "step": str(step),
        "rates": json.dumps([group["lr"] for group in optimiser.param_groups]),
    }
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata=belongs)
    part.replace(path)
    logger.info("checkpoint at step %d", step)


def _restore(
    path: Path,
    network: GoogLeNet,
    optimiser: torch.optim.SGD,
    schedule: torch.optim.lr_scheduler.OneCycleLR,
    recipe: Recipe,
    seed: int,
) -> int:
    """Load a checkpoint if there is one; gives the steps done."""
    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as stored:
        belongs = stored.metadata()
        if (belongs["recipe"], belongs["seed"]) != (repr(recipe), str(seed)):
            raise ModelRefused(
                f"{path.name} belongs to another recipe or seed",
                "Give another folder to --out, or remove the checkpoint",
            )
        tensors = {key: stored.get_tensor(key) for key in stored.keys()}  # noqa: SIM118
    network.load_state_dict(
        {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
    )
    for key, parameter in network.named_parameters():
        if f"momentum.{key}" in tensors:
            optimiser.state[parameter]["momentum_buffer"] = tensors[f"momentum.{key}"]
    done, rates = int(belongs["step"]), json.loads(belongs["rates"])
    schedule.load_state_dict({"last_epoch": done, "_step_count": done + 1, "_last_lr": rates})
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = rate
    return done
