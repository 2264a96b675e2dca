"""The training loop of a recipe, with checkpoints, and prediction with a torch model."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cxrview.callbacks import ignore
from cxrview.train.batch import Batch, TrainingImages, centre_crop
from cxrview.train.batch_rows import BatchRows
from cxrview.train.batch_workers import sample_batches
from cxrview.train.checkpoint import save_checkpoint
from cxrview.train.googlenet import GoogLeNet, Outputs
from cxrview.train.hardware import CPU, Hardware
from cxrview.train.published import load_published
from cxrview.train.recipes import GREY_MEAN, Recipe

CHECKPOINT_SECONDS = 30.0
"""Between two checkpoints: on two cores about 50 steps, on a GPU a complete training."""


def fine_tune(
    model: GoogLeNet,
    training_images: TrainingImages,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint: Path,
    hardware: Hardware = CPU,
    report: Callable[[int, float], None] = ignore,
) -> None:
    """Train a pre-trained two-class model in place; resumes from `checkpoint` if it exists.

    Nesterov momentum under a one-cycle schedule, bf16 where the arithmetic allows, all
    layers. On processors and one number of threads a resumed run gives the same bits; on GPUs
    sums may be rounded otherwise from one run to the next.

    Args:
        model: class 1 is frontal; without auxiliary classifiers, and with the output `chest`
            where the recipe trains it.
        training_images: of the training partition only.
        recipe: steps, rates and weights.
        seed: decides every batch and dropout.
        checkpoint: .safetensors file, replaced every 30 seconds and at the end.
        hardware: device and processes. The batches are the same on all. Of several processes the
            first writes the checkpoint.
        report: called after each step with its number, from 1, and its loss; in the first process.

    Raises:
        InvalidModel: the checkpoint belongs to another recipe, seed or images.
    """
    device, processes = hardware.device, hardware.processes
    model.train().to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser, schedule = _optimiser(model, recipe)
    # The names are those in the checkpoints of earlier versions.
    belongs = {"recipe": repr(recipe), "seed": str(seed), "lesson": training_images.sha256}
    first = processes.restore(checkpoint, model, optimiser, belongs)
    parallel = processes.data_parallel(model, device)
    if first:
        rates = [group["lr"] for group in optimiser.param_groups]
        schedule.load_state_dict({"last_epoch": first, "_step_count": first + 1, "_last_lr": rates})
    kept = time.monotonic()
    batches = sample_batches(training_images, recipe, hardware, seed=seed, first=first)
    for step, batch in enumerate(batches, start=first):
        rows = processes.rows(len(batch.pixels))
        seed_dropout(seed, step)
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
            outputs = parallel(as_input(batch.pixels[rows.part], device), rows)
        loss = _loss(outputs, batch, rows, recipe)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        mean = processes.mean(loss)
        if not processes.is_first:
            continue
        report(step + 1, mean)
        if time.monotonic() - kept >= CHECKPOINT_SECONDS or step + 1 == recipe.steps:
            save_checkpoint(checkpoint, model, optimiser, belongs, step + 1)
            kept = time.monotonic()


def seed_dropout(seed: int, step: int) -> None:
    """Seed the dropout of a step, so that it is the same from any step that a training resumes at.

    Args:
        seed: of the training, of any size; torch takes 64 bits.
        step: from 0.
    """
    torch.manual_seed((seed * 1_000_003 + step) % 2**63)


def predict_pfi(
    model: GoogLeNet,
    pixels: NDArray[np.uint8],
    *,
    batch: int = 32,
    device: str = "cpu",
    is_bf16: bool = False,
) -> NDArray[np.float64]:
    """Probability of frontal in percent, shape (n,), of squashed pixels (n, 256, 256) uint8."""
    model.eval().to(device)
    pfi = []
    with torch.inference_mode(), bf16_arithmetic(device, is_on=is_bf16):
        for start in range(0, len(pixels), batch):
            shown = as_input(centre_crop(pixels[start : start + batch]), device)
            logits = model(shown).main.float()
            pfi.append(100 * logits.softmax(dim=1)[:, 1].double().cpu().numpy())
    return np.concatenate(pfi)


def bf16_arithmetic(device: str, *, is_on: bool) -> torch.autocast:
    """Make a context in which convolutions and matrix products use bf16, if it is on."""
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16, enabled=is_on)


def as_input(pixels: NDArray[np.uint8], device: str = "cpu") -> Tensor:
    """Turn grey (n, rows, columns) uint8 into the model's input: three equal channels, mean 0."""
    grey = torch.from_numpy(np.ascontiguousarray(pixels)).to(device).float() - GREY_MEAN
    return grey[:, None].repeat(1, 3, 1, 1).contiguous(memory_format=torch.channels_last)


def _loss(outputs: Outputs, batch: Batch, rows: BatchRows, recipe: Recipe) -> Tensor:
    """Loss of the view, over radiographs of a chest, plus loss of `chest`, with equal weight.

    Its mean over the processes is the loss of the complete batch.
    """
    device = outputs.main.device
    is_frontal = torch.from_numpy(batch.is_frontal[rows.part]).to(device)
    is_chest = torch.from_numpy(batch.is_chest[rows.part]).to(device)
    chests = outputs.main.float()[: len(is_frontal)]
    smoothing = recipe.label_smoothing
    total = functional.cross_entropy(
        chests, is_frontal.long(), label_smoothing=smoothing, reduction="sum"
    )
    loss = total / max(len(batch.is_frontal), 1) * rows.count
    if outputs.chest is not None:
        criterion = functional.binary_cross_entropy_with_logits
        loss = loss + mean_over_rows(criterion, outputs.chest, is_chest.float(), rows)
    return loss


def mean_over_rows(
    criterion: Callable[[Tensor, Tensor], Tensor], logits: Tensor, truth: Tensor, rows: BatchRows
) -> Tensor:
    """Mean loss of some rows, weighted so that its mean over the processes is that of the batch.

    Args:
        criterion: gives the mean loss.
        logits: of the rows of this process.
        truth: as long as the logits. Without rows the loss is 0, and so are its gradients.
        rows: which rows of the batch they are.
    """
    if not len(truth):
        return logits.float().sum()
    return criterion(logits.float(), truth) * rows.weight(len(truth))


def _optimiser(
    model: GoogLeNet, recipe: Recipe
) -> tuple[torch.optim.SGD, torch.optim.lr_scheduler.OneCycleLR]:
    named = dict(model.named_parameters())
    classifier = [p for key, p in named.items() if key.startswith(("classifier.", "chest."))]
    trunk = [p for key, p in named.items() if not key.startswith(("classifier.", "chest."))]
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


def train_model(
    training_images: TrainingImages,
    published: Path,
    recipe: Recipe,
    *,
    seed: int,
    checkpoint: Path,
    hardware: Hardware = CPU,
    report: Callable[[int, float], None] = ignore,
) -> GoogLeNet:
    """Train from the published weights; a stopped training resumes.

    Args:
        training_images: of training patients only.
        published: the published GoogLeNet, .npz.
        recipe: steps, rates, weights.
        seed: decides the initial classifiers, every batch and dropout.
        checkpoint: .safetensors file.
        hardware: device and processes.
        report: called after each step with its number, from 1, and its loss; in the first process.

    Raises:
        InvalidModel: the published weights or the checkpoint do not fit.
    """
    torch.manual_seed(seed)
    model = GoogLeNet(2, auxiliary=False, chest=recipe.has_chest)
    load_published(published, model, with_classifier=False)
    fine_tune(
        model,
        training_images,
        recipe,
        seed=seed,
        checkpoint=checkpoint,
        hardware=hardware,
        report=report,
    )
    return model.cpu()
