"""What a frozen trunk sees of each variant, computed once and kept, one file a variant.

    features/training/begun.json            what they are of
    features/training/<variant>.npy         (progenitors, 1024) float32
    features/training/bf16/                 the same, where it was computed in bf16 arithmetic

The candidates of one pre-training share them: fc-original needs those of the progenitors,
which fc-augmented needs as well.
"""

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import atomic_path, locked
from cxrview.paper.material import VariantImages
from cxrview.paper.network_files import begin_training, writing_to
from cxrview.paper.train_head import trunk_features
from cxrview.records import Variant
from cxrview.train.googlenet import GoogLeNet

BF16 = "bf16"


def variant_features(
    network: GoogLeNet,
    images: VariantImages,
    folder: Path,
    *,
    device: str = "cpu",
    is_bf16: bool = False,
    watch: Callable[[int, int], None] = lambda more, total: None,
) -> NDArray[np.float32]:
    """Compute the features of images, or read those that were computed before.

    One process computes at a time; any number read.

    Args:
        network: pre-trained; its classifier does not matter.
        images: of one partition.
        folder: of that partition; gets one file a variant, each whole or not at all.
        device: where the trunk runs.
        is_bf16: in which arithmetic; float32 otherwise. Those of the two are kept apart.
        watch: called with how many more images are done, of how many.

    Returns:
        Shape (len(images), 1024), float32, in the order of the images' numbers.

    Raises:
        UsageError: the folder holds features of other images or another network, or another
            process is computing there.
        CannotWrite: the disk took no more.
    """
    folder = folder / BF16 if is_bf16 else folder
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
    is_whole = all(_path(folder, variant).is_file() for variant in images.variants)
    with nullcontext() if is_whole else locked(folder, "computing features in"):
        begin_training(folder, _belongs(network, images))
        total = len(images)
        watch(0, total)
        trunk = _Trunk(network=network, device=device, is_bf16=is_bf16)
        columns = [
            _of_variant(trunk, images, variant, folder, lambda more: watch(more, total))
            for variant in images.variants
        ]
    return np.stack(columns, axis=1).reshape(len(images), -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trunk:
    """What computes, where, and in which arithmetic."""

    network: GoogLeNet
    device: str
    is_bf16: bool


def _of_variant(
    trunk: _Trunk,
    images: VariantImages,
    variant: Variant,
    folder: Path,
    watch: Callable[[int], None],
) -> NDArray[np.float32]:
    path = _path(folder, variant)
    if path.is_file():
        kept: NDArray[np.float32] = np.load(path)
        watch(len(kept))
        return kept
    of_variant = replace(images, variants=(variant,))
    features = trunk_features(
        trunk.network,
        of_variant,
        len(of_variant),
        device=trunk.device,
        is_bf16=trunk.is_bf16,
        watch=watch,
    )
    with writing_to(folder), atomic_path(path) as part, part.open("wb") as file:
        np.save(file, features)
    return features


def _path(folder: Path, variant: Variant) -> Path:
    return folder / f"{variant.name.replace('/', '+')}.npy"


def _belongs(network: GoogLeNet, images: VariantImages) -> dict[str, str]:
    digest = hashlib.sha256()
    for image in images.images:
        digest.update(f"{image.file}\n{image.pixel_sha256}\n".encode())
    return {
        "trunk": network.fingerprint(),
        "images": digest.hexdigest(),
        "seed": str(images.seed),
    }
