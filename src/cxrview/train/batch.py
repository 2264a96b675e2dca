"""Reads labelled files into arrays, and samples the batches of a recipe from them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.callbacks import ignore
from cxrview.image import SIDE, read_radiograph, squash
from cxrview.records.dataset import Label
from cxrview.terms import View
from cxrview.train.augment import augment
from cxrview.train.not_chest import draw_not_chest
from cxrview.train.recipes import Recipe

CROP = 224
"""Rows and columns of the crop that the model takes of the squashed 256 x 256 pixels (paper,
section 4; Szegedy 2015)."""


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
    files: Sequence[str], folder: Path, progress: Callable[[int], None] = ignore
) -> NDArray[np.uint8]:
    """Read and squash files, as `cxrview classify` does.

    Args:
        files: relative to `folder`.
        folder: of the labels file.
        progress: called with 1 after each file.

    Returns:
        Shape (n, 256, 256), uint8.

    Raises:
        UnreadableImage: a file cannot be read; a training set should have no such file.
    """
    pixels = np.empty((len(files), SIDE, SIDE), np.uint8)
    for place, file in zip(pixels, files, strict=True):
        place[:] = squash(read_radiograph(str(folder / file)).pixels)
        progress(1)
    return pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingImages:
    """The images that a recipe trains on."""

    radiographs: LabelledPixels
    not_chest: NDArray[np.uint8]
    """Labelled images without a chest, shape (m, 256, 256), uint8; m is 0 if none are needed."""
    photographs: NDArray[np.uint8]
    """Shape (p, 256, 256), uint8; p is 0 if none are needed."""

    @property
    def sha256(self) -> str:
        """SHA-256 of all pixels, views and sources, as hexadecimal."""
        digest = hashlib.sha256(self.radiographs.pixels.data)
        digest.update(self.radiographs.is_frontal.tobytes())
        digest.update(" ".join(label.source for label in self.radiographs.labels).encode())
        digest.update(self.not_chest.data)
        digest.update(self.photographs.data)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The images of one training step; radiographs of a chest come first."""

    pixels: NDArray[np.uint8]
    """Shape (b, 224, 224), uint8."""
    is_frontal: NDArray[np.bool_]
    """Shape (c,), of the radiographs of a chest alone."""
    is_chest: NDArray[np.bool_]
    """Shape (b,)."""


def sample_batch(training_images: TrainingImages, recipe: Recipe, *, seed: int, step: int) -> Batch:
    """Sample one batch, augmented and cropped; seed and step decide it, so a resume repeats it.

    Args:
        training_images: of the training partition.
        recipe: batch size, shares of each kind of image, and chances of each change.
        seed: of the training.
        step: from 0.

    Raises:
        ValueError: the recipe needs images without a chest, and there are none.
    """
    for share, images in (
        (recipe.not_chest, training_images.not_chest),
        (recipe.photographs, training_images.photographs),
    ):
        if share and not len(images):
            raise ValueError("the recipe needs images without a chest, and there are none")
    rng = np.random.default_rng([seed, step])
    edges = np.cumsum([0, recipe.drawn, recipe.not_chest, recipe.photographs])
    drawn, others, photographs = np.histogram(rng.random(recipe.batch), edges)[0].tolist()
    weights = sampling_weights(training_images.radiographs.labels, recipe.balance)
    chosen = rng.choice(len(weights), recipe.batch - drawn - others - photographs, p=weights)
    pictures = [training_images.radiographs.pixels[k] for k in chosen]
    pictures += _some(training_images.not_chest, others, rng)
    pictures += _some(training_images.photographs, photographs, rng)
    pictures += [draw_not_chest(rng) for _ in range(drawn)]
    varied = [_crop_at_random(augment(picture, recipe.chances, rng), rng) for picture in pictures]
    return Batch(
        pixels=np.stack(varied),
        is_frontal=training_images.radiographs.is_frontal[chosen],
        is_chest=np.arange(recipe.batch) < len(chosen),
    )


def _some(
    pictures: NDArray[np.uint8], count: int, rng: np.random.Generator
) -> list[NDArray[np.uint8]]:
    return [pictures[k] for k in rng.choice(len(pictures), count)] if count else []


def sampling_weights(labels: Sequence[Label], power: float) -> NDArray[np.float64]:
    """Give the probability with which each image is sampled, shape (n,), adding up to 1.

    Args:
        labels: at least one.
        power: the share of the n images of one source and view is proportional to n to this
            power.
    """
    kinds = np.array([f"{label.source}\0{label.view}" for label in labels])
    _, kind, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    weights = counts.astype(float)[kind] ** (power - 1)
    return np.asarray(weights / weights.sum())


def centre_crop(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Crop (n, 256, 256) to (n, 224, 224), as the exported model does."""
    margin = (pixels.shape[1] - CROP) // 2
    return pixels[:, margin : margin + CROP, margin : margin + CROP]


def _crop_at_random(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    top, left = rng.integers(0, pixels.shape[0] - CROP + 1, 2)
    return pixels[top : top + CROP, left : left + CROP]
