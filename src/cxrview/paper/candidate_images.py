"""The images that a candidate is trained and validated on: those of a split, and their variants."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.augment.poses import Edge
from cxrview.dataset.augment.variants import PROGENITOR, make_variant
from cxrview.dataset.split import check_split
from cxrview.errors import UsageError
from cxrview.paper.scale import Scale
from cxrview.records.dataset import Materialised, Prepared, PreparedImage, Split, Variant
from cxrview.terms import Partition, View
from cxrview.train.distributed import ALONE, Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantImages:
    """Progenitors and some of their variants, each made when it is accessed.

    Number k is variant `k % len(variants)` of progenitor `k // len(variants)`.
    """

    images: tuple[PreparedImage, ...]
    pixels: NDArray[np.uint8]
    """Shape (n, 256, 256), uint8, of the complete prepared store, indexed by `images[k].row`."""
    variants: tuple[Variant, ...]
    seed: int
    materialised: Materialised | None = None
    """The same variants made in advance with the same seed; missing ones are made."""

    def __len__(self) -> int:
        return len(self.images) * len(self.variants)

    def __call__(self, number: int) -> NDArray[np.uint8]:
        """Pixels of one image, shape (256, 256), uint8."""
        image, variant = self.which(number)
        if self.materialised:
            made = self.materialised.find(image.file, variant.name)
            if made is not None:
                return made
        progenitor = self.pixels[image.row]
        return make_variant(progenitor, variant, seed=self.seed, image_id=image.file)

    def which(self, number: int) -> tuple[PreparedImage, Variant]:
        """Give progenitor and variant of an image number."""
        progenitor, variant = divmod(number, len(self.variants))
        return self.images[progenitor], self.variants[variant]

    def drawn(self, most: int | None, seed: int) -> "VariantImages":
        """Sample at most so many progenitors by seed, with all their variants."""
        if most is None or most >= len(self.images):
            return self
        chosen = np.sort(np.random.default_rng(seed).permutation(len(self.images))[:most])
        return replace(self, images=tuple(self.images[k] for k in chosen))

    @property
    def is_frontal(self) -> NDArray[np.bool_]:
        """Shape (len,), the truth: a variant has the view of its progenitor."""
        of_progenitors = np.array([i.view is View.FRONTAL for i in self.images], bool)
        return np.repeat(of_progenitors, len(self.variants))


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What all nine candidates share: images, split, scale, seed and device.

    Raises:
        UsageError: the split leaks; training or validation images lack a view; or the variants
            made in advance have another seed, another edge or other progenitors.
    """

    prepared: Prepared
    split: Split
    """Already scaled, see `scaled_split`."""
    scale: Scale
    seed: int
    device: str = "cpu"
    processes: Processes = ALONE
    """The processes that train and validate each candidate."""
    materialised: Materialised | None = None
    """Used unchecked, except that their progenitors are compared with the prepared images."""

    def __post_init__(self) -> None:
        check_split(self.split, self.prepared.images, self.prepared.content)
        for partition in (Partition.TRAINING, Partition.VALIDATION):
            wanted = set(self.split.files(partition))
            views = {image.view for image in self.prepared.images if image.file in wanted}
            if views != set(View):
                raise UsageError(
                    f"the {partition} images do not show both views",
                    "Label more images, or split them with another seed",
                )
        if self.materialised:
            self._check_made_beforehand(self.materialised)

    def _check_made_beforehand(self, made: Materialised) -> None:
        if made.about.get("seed") != self.seed:
            raise UsageError(
                "the variants were made with another seed", "Use the seed of cxrview augment"
            )
        if made.about.get("edge") != Edge.BLACK:
            raise UsageError(
                f"the variants were made with the edge {made.about.get('edge')}",
                "Create them with cxrview augment --edge black, or leave them out",
            )
        for partition in (Partition.TRAINING, Partition.VALIDATION):
            for image in self.part(partition, ()).images:
                pixels = made.find(image.file, PROGENITOR.name)
                if pixels is not None and _pixels_sha256(pixels) != image.pixel_sha256:
                    raise UsageError(
                        f"the variants of {image.file} were made from another picture",
                        "Create them from this store with cxrview augment --materialise, or leave "
                        "them out",
                    )

    def part(self, partition: Partition, variants: Sequence[Variant]) -> VariantImages:
        """Give the images of a partition with some variants of each."""
        wanted = set(self.split.files(partition))
        return VariantImages(
            images=tuple(image for image in self.prepared.images if image.file in wanted),
            pixels=self.prepared.pixels,
            variants=tuple(variants),
            seed=self.seed,
            materialised=self.materialised,
        )

    @property
    def belongs(self) -> dict[str, str]:
        """What a training on these images depends on, by name."""
        rows = json.dumps([[file, part] for file, part in self.split.partitions.items()])
        return {
            "scale": self.scale.name,
            "seed": str(self.seed),
            "images": str(self.prepared.about.get("content_sha256", "")),
            "split": hashlib.sha256(rows.encode()).hexdigest(),
        }


def _pixels_sha256(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()
