"""Pictures of a partition as a pre-training takes them, and how many are given their own class."""

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

_EVALUATED_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Top1:
    """How many validation pictures were given their own class before any other."""

    right: int
    pictures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPictures:
    """Pictures of a partition and of the classes that are learnt."""

    pixels: NDArray[np.uint8]
    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    """Of each row, places in the network's output."""

    @classmethod
    def of(
        cls, pictures: Pictures, classes: Sequence[ImageNetClass], partition: Partition
    ) -> "ShownPictures":
        """Those of a partition whose class is among `classes`, in the order of the output."""
        output = {c.wnid: place for place, c in enumerate(classes)}
        outputs = np.array([output.get(wnid, -1) for wnid in pictures.wnids], np.int64)
        rows = pictures.rows(partition)
        learnt = outputs[pictures.classes[rows]]
        return cls(pixels=pictures.pixels, rows=rows[learnt >= 0], classes=learnt[learnt >= 0])

    def drawn(self, most: int | None, seed: int) -> "ShownPictures":
        """So many at the most, by seed."""
        if most is None or most >= len(self.rows):
            return self
        chosen = np.sort(np.random.default_rng(seed).permutation(len(self.rows))[:most])
        return replace(self, rows=self.rows[chosen], classes=self.classes[chosen])

    def picture(self, number: int) -> NDArray[np.uint8]:
        """Pixels, shape (256, 256), uint8."""
        pixels: NDArray[np.uint8] = self.pixels[self.rows[number]]
        return pixels


class CountedTop1:
    """Top-1 after each epoch, kept in a file: a resumed training counts none a second time."""

    def __init__(
        self,
        path: Path,
        network: GoogLeNet,
        held_out: ShownPictures,
        *,
        device: str,
        is_bf16: bool,
    ) -> None:
        self._path, self._network, self._held_out = path, network, held_out
        self._device, self._is_bf16 = device, is_bf16
        self._right: dict[str, int] = {}
        if path.is_file():
            self._right = json.loads(path.read_text(encoding="utf-8"))

    @property
    def right(self) -> list[int]:
        """Before the first epoch and after each."""
        return [self._right[str(epoch)] for epoch in sorted(map(int, self._right))]

    def after(self, epoch: int) -> Top1:
        """Of the network as it is now, unless it is known from an earlier run."""
        if str(epoch) not in self._right:
            self._right[str(epoch)] = _count(
                self._network, self._held_out, self._device, is_bf16=self._is_bf16
            )
            write_atomic(self._path, json.dumps(self._right) + "\n")
        return Top1(right=self._right[str(epoch)], pictures=len(self._held_out.rows))


def _count(network: GoogLeNet, shown: ShownPictures, device: str, *, is_bf16: bool) -> int:
    """Centre crops; nothing of chance is used up, so that a training is the same after."""
    right = 0
    network.eval().to(device)
    with torch.inference_mode(), bf16_arithmetic(device, is_on=is_bf16):
        for start in range(0, len(shown.rows), _EVALUATED_AT_ONCE):
            part = slice(start, start + _EVALUATED_AT_ONCE)
            logits = network(as_input(centre_crop(shown.pixels[shown.rows[part]])).to(device)).main
            right += int(np.sum(logits.argmax(dim=1).cpu().numpy() == shown.classes[part]))
    return right
