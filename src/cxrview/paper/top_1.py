"""The pictures of a pre-training, and its top-1 accuracy."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cxrview.atomic_files import write_atomic
from cxrview.dataset.natural.ilsvrc import ImageNetClass
from cxrview.dataset.natural.store import Pictures
from cxrview.terms import Partition
from cxrview.train.batch import centre_crop
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loop import as_input, bf16_arithmetic

_BATCH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Top1:
    """How many validation pictures have their true class as the most probable."""

    right: int
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPictures:
    """Pictures of a partition and of the chosen classes."""

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    """Of each row, the index in the model's output."""

    @classmethod
    def of(
        cls, pictures: Pictures, classes: Sequence[ImageNetClass], partition: Partition
    ) -> "ShownPictures":
        """Select the pictures of a partition whose class is one of the model's outputs."""
        output = {c.wnid: place for place, c in enumerate(classes)}
        outputs = np.array([output.get(wnid, -1) for wnid in pictures.wnids], np.int64)
        rows = pictures.rows(partition)
        learnt = outputs[pictures.classes[rows]]
        return cls(pixels=pictures.pixels, rows=rows[learnt >= 0], classes=learnt[learnt >= 0])

    def drawn(self, most: int | None, seed: int) -> "ShownPictures":
        """Sample at most so many pictures by seed."""
        if most is None or most >= len(self.rows):
            return self
        chosen = np.sort(np.random.default_rng(seed).permutation(len(self.rows))[:most])
        return replace(self, rows=self.rows[chosen], classes=self.classes[chosen])

    def picture(self, number: int) -> NDArray[np.uint8]:
        """Pixels, shape (256, 256), uint8."""
        pixels: NDArray[np.uint8] = self.pixels[self.rows[number]]
        return pixels


class Top1Log:
    """Top-1 after each epoch, stored in a file, so that a resumed training counts none again."""

    def __init__(
        self,
        path: Path,
        model: GoogLeNet,
        held_out: ShownPictures,
        *,
        device: str,
        is_bf16: bool,
    ) -> None:
        self._path, self._network, self._held_out = path, model, held_out
        self._device, self._is_bf16 = device, is_bf16
        self._right: dict[str, int] = {}
        if path.is_file():
            self._right = json.loads(path.read_text(encoding="utf-8"))

    @property
    def right(self) -> list[int]:
        """Correct pictures before the first epoch and after each."""
        return [self._right[str(epoch)] for epoch in sorted(map(int, self._right))]

    def after(self, epoch: int) -> Top1:
        """Count top-1 of the model as it is now, or read the count of an earlier run."""
        if str(epoch) not in self._right:
            self._right[str(epoch)] = _count(
                self._network, self._held_out, self._device, is_bf16=self._is_bf16
            )
            write_atomic(self._path, json.dumps(self._right) + "\n")
        return Top1(right=self._right[str(epoch)], pictures=len(self._held_out.rows))


def _count(model: GoogLeNet, shown: ShownPictures, device: str, *, is_bf16: bool) -> int:
    """Count on centre crops, without random numbers, so that the training is not affected."""
    right = 0
    model.eval().to(device)
    with torch.inference_mode(), bf16_arithmetic(device, is_on=is_bf16):
        for start in range(0, len(shown.rows), _BATCH):
            part = slice(start, start + _BATCH)
            logits = model(as_input(centre_crop(shown.pixels[shown.rows[part]])).to(device)).main
            right += int(np.sum(logits.argmax(dim=1).cpu().numpy() == shown.classes[part]))
    return right
