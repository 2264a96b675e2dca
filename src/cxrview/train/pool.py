"""All images of a labels file in memory, squashed: radiographs, and images without a chest."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.callbacks import ignore
from cxrview.dataset.labels import read_labels, read_not_chest
from cxrview.dataset.natural.photographs import SOURCE as PHOTOGRAPHS
from cxrview.dataset.natural.photographs import read_photographs
from cxrview.records.dataset import NotChest
from cxrview.terms import Partition
from cxrview.train.batch import LabelledPixels, TrainingImages, load_pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePool:
    """The images that a model is trained, chosen and tested on."""

    radiographs: LabelledPixels
    others: tuple[NotChest, ...]
    """Images without a chest: labelled ones and photographs."""
    not_chest: NDArray[np.uint8]
    """Shape (m, 256, 256), uint8, of `others`, in their order."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Of radiographs, in alphabetical order."""
        return tuple(sorted({label.source for label in self.radiographs.labels}))

    def partition(self, partition: Partition) -> "ImagePool":
        """The patients of one partition."""
        return self._where(
            [label.partition is partition for label in self.radiographs.labels],
            [other.partition is partition for other in self.others],
        )

    def of_sources(self, sources: Collection[str]) -> "ImagePool":
        """The radiographs of some sources, without anything else."""
        is_of = [label.source in sources for label in self.radiographs.labels]
        return self._where(is_of, [False] * len(self.others))

    def without_sources(self, sources: Collection[str]) -> "ImagePool":
        """Everything but the images of some sources, also those without a chest."""
        return self._where(
            [label.source not in sources for label in self.radiographs.labels],
            [other.source not in sources for other in self.others],
        )

    @property
    def training_images(self) -> TrainingImages:
        """The images in the form that training takes."""
        is_photograph = np.array([other.source == PHOTOGRAPHS for other in self.others], bool)
        return TrainingImages(
            radiographs=self.radiographs,
            not_chest=self.not_chest[~is_photograph],
            photographs=self.not_chest[is_photograph],
        )

    def _where(self, radiographs: list[bool], others: list[bool]) -> "ImagePool":
        of, of_others = np.array(radiographs, bool), np.array(others, bool)
        return replace(
            self,
            radiographs=LabelledPixels(
                labels=tuple(np.array(self.radiographs.labels, object)[of]),
                pixels=self.radiographs.pixels[of],
            ),
            others=tuple(np.array(self.others, object)[of_others]),
            not_chest=self.not_chest[of_others],
        )


def read_pool(
    labels_path: Path,
    *,
    with_others: bool,
    photographs: Path | None = None,
    progress: Callable[[int], None] = ignore,
) -> ImagePool:
    """Read and squash every image of a labels file, as `cxrview classify` does.

    Args:
        labels_path: CSV as `dataset.labels` reads it.
        with_others: also read the images without a chest.
        photographs: tar or folder of pictures that are not radiographs.
        progress: called with 1 after each image.

    Raises:
        UsageError: the labels file or the photographs are not valid.
        UnreadableImage: a labelled file cannot be read.
    """
    labels, folder = read_labels(labels_path), labels_path.parent
    others = read_not_chest(labels_path) if with_others else []
    pixels = load_pixels([label.file for label in labels], folder, progress)
    not_chest = load_pixels([other.file for other in others], folder, progress)
    if photographs:
        rows, shown = read_photographs(photographs, progress)
        others, not_chest = [*others, *rows], np.concatenate([not_chest, shown])
    return ImagePool(
        radiographs=LabelledPixels(labels=tuple(labels), pixels=pixels),
        others=tuple(others),
        not_chest=not_chest,
    )
