"""From a labels file to a finished model: the whole of one training, resumable."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cxrview.dataset.labels import read_labels
from cxrview.image import SIDE
from cxrview.records import Label, ModelCard
from cxrview.store.models import write_model
from cxrview.terms import Partition
from cxrview.train.card import Scored, write_card
from cxrview.train.export import PRECISION, to_onnx
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loader import LabelledPixels, load_pixels
from cxrview.train.loop import fine_tune
from cxrview.train.published import load_published
from cxrview.train.recipes import Recipe

CHECKPOINT_NAME = "checkpoint.safetensors"

Predict = Callable[[bytes, NDArray[np.uint8]], NDArray[np.float64]]
"""ONNX file and squashed pixels (n, side, side) uint8 to PFI in percent, (n,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a caller is told how far it is; both do nothing by default."""

    reading: Callable[[Sequence[Label]], Iterable[Label]] = iter
    """Wraps the labels while their files are read."""
    step: Callable[[int, float], None] = lambda step, loss: None
    """Called after each step with its number, from 1, and its loss."""


def finetune_model(
    labels_path: Path,
    published: Path,
    recipe: Recipe,
    out: Path,
    *,
    seed: int,
    predict: Predict,
    about: dict[str, Any],
    watch: Watch | None = None,
) -> ModelCard:
    """Train by a recipe, export, and describe the model with its own figures.

    Writes `model.onnx`, `card.json` and `checkpoint.safetensors` into `out`; a training that
    was stopped goes on from the checkpoint.

    Args:
        labels_path: CSV as `dataset.labels` reads it.
        published: the published GoogLeNet, .npz.
        recipe: steps, rates, weights.
        out: folder.
        seed: decides the classifier's start, every batch and every dropped unit.
        predict: runs the exported file, so that its figures are those of what ships.
        about: licences, intended use, limits for the card.
        watch: told how far it is.

    Raises:
        UsageError: the labels file is at fault.
        UnreadableImage: a labelled file cannot be read.
        ModelRefused: the published weights or the checkpoint do not fit.
    """
    watch = watch or Watch()
    labels = read_labels(labels_path)
    parts = {
        part: load_pixels(
            [label for label in labels if label.partition is part],
            labels_path.parent,
            watch.reading,
        )
        for part in Partition
    }
    torch.manual_seed(seed)
    network = GoogLeNet(2, auxiliary=False)
    load_published(published, network, with_classifier=False)
    out.mkdir(parents=True, exist_ok=True)
    fine_tune(
        network,
        parts[Partition.TRAINING],
        recipe,
        seed=seed,
        checkpoint=out / CHECKPOINT_NAME,
        report=watch.step,
    )
    weights = to_onnx(network, side=SIDE)

    def score(part: LabelledPixels) -> Scored:
        return Scored(labels=part.labels, pfi=predict(weights, part.pixels))

    card = write_card(
        weights,
        recipe,
        seed=seed,
        precision=PRECISION,
        input_side=SIDE,
        labels_sha256=hashlib.sha256(labels_path.read_bytes()).hexdigest(),
        training=parts[Partition.TRAINING].labels,
        validation=score(parts[Partition.VALIDATION]),
        test=score(parts[Partition.TEST]),
        about=about,
    )
    write_model(out, card, weights)
    return card
