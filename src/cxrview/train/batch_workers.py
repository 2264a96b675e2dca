"""Prepares training batches, in worker processes where there are any."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from cxrview.records.dataset import Label
from cxrview.train.batch import Batch, LabelledPixels, TrainingImages, sample_batch
from cxrview.train.hardware import CPU, Hardware
from cxrview.train.recipes import Recipe

RADIOGRAPHS, NOT_CHEST, PHOTOGRAPHS = "radiographs.npy", "not-chest.npy", "photographs.npy"
AHEAD = 4
"""Batches that each worker prepares in advance."""


def sample_batches(
    training_images: TrainingImages,
    recipe: Recipe,
    hardware: Hardware = CPU,
    *,
    seed: int,
    first: int = 0,
) -> Iterator[Batch]:
    """Sample the batches of a training in order, as `sample_batch` does, with any processes.

    Args:
        training_images: of the training partition.
        recipe: how many steps, and what they show.
        hardware: its workers prepare batches in advance; 0 workers prepare each when it is needed.
            Of several processes each prepares some of the batches and sends them to the others.
        seed: of the training.
        first: step to begin with, from 0.
    """
    steps, processes = range(first, recipe.steps), hardware.processes
    own_steps = steps[processes.rank :: processes.count]
    own = _prepare(training_images, recipe, seed, own_steps, hardware.workers)
    for number in range(len(steps)):
        sender = number % processes.count
        yield processes.sent(next(own) if sender == processes.rank else None, sender)


def _prepare(
    training_images: TrainingImages, recipe: Recipe, seed: int, steps: range, workers: int
) -> Iterator[Batch]:
    if not workers:
        yield from (sample_batch(training_images, recipe, seed=seed, step=step) for step in steps)
        return
    with tempfile.TemporaryDirectory(prefix="cxrview-") as folder:
        yield from DataLoader(
            _Shared.of(training_images, Path(folder), recipe, seed, steps),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=AHEAD,
            worker_init_fn=_take_one_core,
            # A forked process would wait forever for the threads that OpenCV had in this one.
            multiprocessing_context="spawn",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared(Dataset[Batch]):
    """The batches of some steps; all workers map the pixels from the same files."""

    labels: tuple[Label, ...]
    folder: Path
    recipe: Recipe
    seed: int
    steps: range

    @classmethod
    def of(
        cls, training_images: TrainingImages, folder: Path, recipe: Recipe, seed: int, steps: range
    ) -> "_Shared":
        """Write the pixels into a folder."""
        np.save(folder / RADIOGRAPHS, training_images.radiographs.pixels)
        np.save(folder / NOT_CHEST, training_images.not_chest)
        np.save(folder / PHOTOGRAPHS, training_images.photographs)
        return cls(
            labels=training_images.radiographs.labels,
            folder=folder,
            recipe=recipe,
            seed=seed,
            steps=steps,
        )

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, number: int) -> Batch:
        pixels = _map(self.folder / RADIOGRAPHS)
        training_images = TrainingImages(
            radiographs=LabelledPixels(labels=self.labels, pixels=pixels),
            not_chest=_map(self.folder / NOT_CHEST),
            photographs=_map(self.folder / PHOTOGRAPHS),
        )
        return sample_batch(training_images, self.recipe, seed=self.seed, step=self.steps[number])


def _map(path: Path) -> NDArray[np.uint8]:
    try:
        mapped: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    except ValueError:  # an empty array cannot be mapped
        mapped = np.load(path)
    return mapped


def _take_one_core(worker: int) -> None:
    cv2.setNumThreads(1)
