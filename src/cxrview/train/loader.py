"""Turns labelled files into arrays, and arrays into the batches of a recipe."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.image import read_radiograph, squash
from cxrview.records import Label
from cxrview.terms import View
from cxrview.train.appearance import vary
from cxrview.train.recipes import Recipe

CROP = 224
"""Rows and columns that the network sees of the squashed 256 (paper, section 4; Szegedy 2015)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledPixels:
    """Labels and their squashed pixels, in the same order."""

    labels: tuple[Label, ...]
    pixels: NDArray[np.uint8]
    """Shape (n, 256, 256), uint8."""

    @property
    def is_frontal(self) -> NDArray[np.bool_]:
        """Shape (n,), the truth."""
        return np.array([label.view is View.FRONTAL for label in self.labels], bool)


def load_pixels(
    labels: Sequence[Label],
    folder: Path,
    progress: Callable[[Sequence[Label]], Iterable[Label]] = iter,
) -> LabelledPixels:
    """Read and squash every labelled file, as in use.

    Args:
        labels: whose `file` is relative to `folder`.
        folder: where the labels file stands.
        progress: wraps the sequence to show how far it is.

    Raises:
        UnreadableImage: a file cannot be read; a training set should have none such.
    """
    squashed = [
        squash(read_radiograph(str(folder / label.file)).pixels) for label in progress(labels)
    ]
    return LabelledPixels(labels=tuple(labels), pixels=np.stack(squashed))


def draw_batch(
    training: LabelledPixels, recipe: Recipe, *, seed: int, step: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw one training batch; it depends on seed and step alone, so a resume repeats it.

    Returns:
        Pixels, shape (batch, 224, 224), uint8, varied and cropped at random; and whether
        each is frontal, shape (batch,).
    """
    rng = np.random.default_rng([seed, step])
    weights = np.array([recipe.weight_of(label.source, label.view) for label in training.labels])
    chosen = rng.choice(len(weights), recipe.batch, p=weights / weights.sum())
    varied = [_crop_at_random(vary(training.pixels[k], rng), rng) for k in chosen]
    return np.stack(varied), training.is_frontal[chosen]


def centre_crop(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Shape (n, 256, 256) to (n, 224, 224): what the network sees in use."""
    margin = (pixels.shape[1] - CROP) // 2
    return pixels[:, margin : margin + CROP, margin : margin + CROP]


def _crop_at_random(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    top, left = rng.integers(0, pixels.shape[0] - CROP + 1, 2)
    return pixels[top : top + CROP, left : left + CROP]
