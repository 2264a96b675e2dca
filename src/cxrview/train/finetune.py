"""The published network, taught two views by a recipe; resumable."""

from collections.abc import Callable
from pathlib import Path

import torch

from cxrview.train.batch import Lesson
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.hardware import PROCESSOR, Hardware
from cxrview.train.loop import fine_tune
from cxrview.train.published import load_published
from cxrview.train.recipes import Recipe


def train_network(
    lesson: Lesson,
    published: Path,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint: Path,
    hardware: Hardware = PROCESSOR,
    report: Callable[[int, float], None] = lambda step, loss: None,
) -> GoogLeNet:
    """Train from the published weights; a training that was stopped goes on.

    Args:
        lesson: of training patients only.
        published: the published GoogLeNet, .npz.
        recipe: steps, rates, weights.
        seed: decides the classifiers' start, every batch and every dropped unit.
        checkpoint: .safetensors file.
        hardware: where it trains.
        report: called after each step with its number, from 1, and its loss.

    Raises:
        ModelRefused: the published weights or the checkpoint do not fit.
    """
    torch.manual_seed(seed)
    network = GoogLeNet(2, auxiliary=False, chest=recipe.has_chest)
    load_published(published, network, with_classifier=False)
    fine_tune(
        network,
        lesson,
        recipe,
        seed=seed,
        checkpoint=checkpoint,
        hardware=hardware,
        report=report,
    )
    return network.cpu()
