"""Features of each variant from a frozen trunk, computed once and stored in one file per variant.

    features/training/begun.json            model, images and seed that they belong to
    features/training/<variant>.npy         (progenitors, 1024) float32
    features/training/bf16/                 the same, computed in bf16 arithmetic

The candidates of one pre-training share them: fc-original needs those of the progenitors, which
fc-augmented needs as well.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import atomic_path, locked
from cxrview.callbacks import ignore
from cxrview.paper.candidate_images import VariantImages
from cxrview.paper.train_head import trunk_features
from cxrview.paper.trained_model import begin_training, writing_to
from cxrview.records.dataset import Variant
from cxrview.train.distributed import ALONE, Processes
from cxrview.train.googlenet import GoogLeNet

BF16 = "bf16"


def variant_features(
    model: GoogLeNet,
    images: VariantImages,
    folder: Path,
    *,
    device: str = "cpu",
    processes: Processes = ALONE,
    is_bf16: bool = False,
    watch: Callable[[int, int], None] = ignore,
) -> NDArray[np.float32]:
    """Compute the features of images, or read those that were computed before.

    One training may compute at a time, on all of its processes; any number may read.

    Args:
        model: pre-trained; its classifier does not matter.
        images: of one partition.
        folder: of that partition; gets one file per variant, written atomically.
        device: of the trunk.
        processes: all make this call; the first reads and writes the files.
        is_bf16: compute in bf16, otherwise in float32. Both are stored separately.
        watch: called with how many more images are done, and how many there are.

    Returns:
        Shape (len(images), 1024), float32, in the order of the images' numbers.

    Raises:
        UsageError: the folder has features of other images or another model, or another
            process computes there.
        CannotWrite: the disk is full or not writable.
    """
    folder = folder / BF16 if is_bf16 else folder
    trunk = _Trunk(model=model, device=device, processes=processes, is_bf16=is_bf16)
    total = len(images)
    with _begun(folder, model, images) if processes.is_first else nullcontext():
        watch(0, total)
        columns = [
            _of_variant(trunk, images, variant, folder, lambda more: watch(more, total))
            for variant in images.variants
        ]
    return np.stack(columns, axis=1).reshape(len(images), -1)


@contextmanager
def _begun(folder: Path, model: GoogLeNet, images: VariantImages) -> Iterator[None]:
    """Check that a folder is of these features, and lock it unless it has all of them."""
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    is_complete = all(_path(folder, variant).is_file() for variant in images.variants)
    with nullcontext() if is_complete else locked(folder, "computing features in"):
        begin_training(folder, _belongs(model, images))
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trunk:
    """A model, its device, processes and arithmetic."""

    model: GoogLeNet
    device: str
    processes: Processes
    is_bf16: bool


def _of_variant(
    trunk: _Trunk,
    images: VariantImages,
    variant: Variant,
    folder: Path,
    watch: Callable[[int], None],
) -> NDArray[np.float32]:
    path, processes = _path(folder, variant), trunk.processes
    kept: NDArray[np.float32] | None = processes.on_first(
        lambda: np.load(path) if path.is_file() else None
    )
    if kept is not None:
        watch(len(kept))
        return kept
    of_variant = replace(images, variants=(variant,))

    def compute(numbers: range) -> NDArray[np.float32]:
        return trunk_features(
            trunk.model,
            lambda k: of_variant(numbers[k]),
            len(numbers),
            device=trunk.device,
            is_bf16=trunk.is_bf16,
            watch=watch,
        )

    numbers = range(len(of_variant))
    features = processes.each_row(numbers, compute)
    watch(len(numbers) - len(numbers[:: processes.count]))  # those of other processes
    if processes.is_first:
        with writing_to(folder), atomic_path(path) as part, part.open("wb") as file:
            np.save(file, features)
    return features


def _path(folder: Path, variant: Variant) -> Path:
    return folder / f"{variant.name.replace('/', '+')}.npy"


def _belongs(model: GoogLeNet, images: VariantImages) -> dict[str, str]:
    digest = hashlib.sha256()
    for image in images.images:
        digest.update(f"{image.file}\n{image.pixel_sha256}\n".encode())
    return {
        "trunk": model.fingerprint(),
        "images": digest.hexdigest(),
        "seed": str(images.seed),
    }
