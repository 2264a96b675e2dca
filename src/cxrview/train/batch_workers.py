"""Draws the batches of a training, by other processes ahead of it where it has them."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from cxrview.records import Label
from cxrview.train.batch import Batch, LabelledPixels, Lesson, draw_batch
from cxrview.train.recipes import Recipe

RADIOGRAPHS, NOT_CHEST, PHOTOGRAPHS = "radiographs.npy", "not-chest.npy", "photographs.npy"
AHEAD = 4
"""Batches that each process has ready."""


def draw_batches(
    lesson: Lesson, recipe: Recipe, *, seed: int, first: int = 0, workers: int = 0
) -> Iterator[Batch]:
    """Draw the batches of a training in their order, as `draw_batch` does; any workers, same bytes.

    Args:
        lesson: of the training partition.
        recipe: how many steps, and what they show.
        seed: of the training.
        first: step to begin with, from 0.
        workers: processes that draw ahead; 0 draws when asked.
    """
    steps = range(first, recipe.steps)
    if not workers:
        yield from (draw_batch(lesson, recipe, seed=seed, step=step) for step in steps)
        return
    with tempfile.TemporaryDirectory(prefix="cxrview-") as folder:
        yield from DataLoader(
            _Shared.of(lesson, Path(folder), recipe, seed, steps),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=AHEAD,
            worker_init_fn=_take_one_core,
            # A forked process would wait forever for the threads that OpenCV had in this one.
            multiprocessing_context="spawn",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared(Dataset[Batch]):
    """The batches of some steps; pixels are in files, which all processes map as one memory."""

    labels: tuple[Label, ...]
    folder: Path
    recipe: Recipe
    seed: int
    steps: range

    @classmethod
    def of(cls, lesson: Lesson, folder: Path, recipe: Recipe, seed: int, steps: range) -> "_Shared":
        """Write a lesson's pixels into a folder."""
        np.save(folder / RADIOGRAPHS, lesson.radiographs.pixels)
        np.save(folder / NOT_CHEST, lesson.not_chest)
        np.save(folder / PHOTOGRAPHS, lesson.photographs)
        return cls(
            labels=lesson.radiographs.labels, folder=folder, recipe=recipe, seed=seed, steps=steps
        )

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, number: int) -> Batch:
        pixels = _map(self.folder / RADIOGRAPHS)
        lesson = Lesson(
            radiographs=LabelledPixels(labels=self.labels, pixels=pixels),
            not_chest=_map(self.folder / NOT_CHEST),
            photographs=_map(self.folder / PHOTOGRAPHS),
        )
        return draw_batch(lesson, self.recipe, seed=self.seed, step=self.steps[number])


def _map(path: Path) -> NDArray[np.uint8]:
    try:
        mapped: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    except ValueError:  # of no pictures there is nothing to map
        mapped = np.load(path)
    return mapped


def _take_one_core(worker: int) -> None:
    cv2.setNumThreads(1)
