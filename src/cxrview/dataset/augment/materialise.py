"""Writes the variants of all training and validation images to disk, for all epochs."""

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.augment.array import open_materialised, write_materialised
from cxrview.dataset.augment.poses import Edge
from cxrview.dataset.augment.variants import VARIANTS, make_all_variants
from cxrview.dataset.split import check_split
from cxrview.errors import UsageError
from cxrview.records.dataset import Materialised, Prepared, PreparedImage, Split
from cxrview.terms import Partition


def materialise_variants(
    store: Prepared,
    split: Split,
    out: Path,
    *,
    seed: int,
    edge: Edge = Edge.BLACK,
    overwrite: bool = False,
    watch: Callable[[int], None] = lambda done: None,
) -> Materialised:
    """Write all 106 variants of every training and validation image into one array, and open it.

    Test images are never augmented (paper, section 2). If it is stopped, the same call resumes
    and ends with the same bytes: those of `make_variant` with `file` as the image's id.

    Args:
        store: the progenitors.
        split: of the store's images; those that it does not name are left out.
        out: folder; new, empty, or of the same call. It takes 7 MB per image.
        seed: as for `make_variant`.
        edge: as for `make_variant`.
        overwrite: replace existing variants.
        watch: called with how many more images are done.

    Raises:
        UsageError: the split leaks, see `check_split`; no image is to be augmented; or `out` has
            other files or variants of other conditions.
        CannotWrite: the disk has not enough free space, or is not writable.
    """
    check_split(split, store.images, store.content)
    augmented = images_to_augment(store, split)
    if not augmented:
        raise UsageError("the split has no training and no validation image")

    def make(number: int) -> NDArray[np.uint8]:
        image = augmented[number]
        return make_all_variants(store.pixels[image.row], seed=seed, image_id=image.file, edge=edge)

    conditions = {
        "seed": seed,
        "edge": str(edge),
        "variants": [variant.name for variant in VARIANTS],
        "progenitors_sha256": _images_sha256(augmented, split),
        # Another NumPy may generate other numbers from the same seed.
        "versions": {"cxrview": version("cxrview"), "numpy": np.__version__},
    }
    progenitors = [(image.file, split.partitions[image.file]) for image in augmented]
    shape = (len(VARIANTS), store.pixels.shape[1], store.pixels.shape[2])
    write_materialised(out, progenitors, shape, make, conditions, overwrite=overwrite, watch=watch)
    return open_materialised(out)


def images_to_augment(store: Prepared, split: Split) -> tuple[PreparedImage, ...]:
    """Give the training and validation images, in the order of the store."""
    return tuple(
        image
        for image in store.images
        if split.partitions.get(image.file) in (Partition.TRAINING, Partition.VALIDATION)
    )


def _images_sha256(augmented: tuple[PreparedImage, ...], split: Split) -> str:
    digest = hashlib.sha256()
    for image in augmented:
        facts = (image.file, image.pixel_sha256, str(split.partitions[image.file]))
        digest.update(repr(facts).encode(errors="surrogateescape"))
    return digest.hexdigest()
