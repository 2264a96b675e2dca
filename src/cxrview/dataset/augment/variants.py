"""The 106 variants of each progenitor (paper, section 2)."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.augment.perturb import PERTURBATIONS
from cxrview.dataset.augment.poses import POSES, Edge
from cxrview.errors import UsageError
from cxrview.records.dataset import Variant
from cxrview.records.pixels import square_picture

PROGENITOR = Variant(pose="identity", perturbation=None)

VARIANTS: tuple[Variant, ...] = (
    PROGENITOR,
    *(Variant(pose=pose, perturbation=name) for pose in POSES for name in PERTURBATIONS),
)
"""All variants, in the order of every array: the progenitor, then pose by pose. The choice of the
106 is ours."""

_BY_NAME = {variant.name: variant for variant in VARIANTS}


def variant_named(name: str) -> Variant:
    """Find a variant by its name.

    Raises:
        UsageError: the variant does not exist.
    """
    if name not in _BY_NAME:
        raise UsageError(
            f"variant {name} does not exist", "An example is flip-horizontal/translate-north"
        )
    return _BY_NAME[name]


def make_variant(
    pixels: NDArray[np.uint8],
    variant: Variant,
    *,
    seed: int,
    image_id: str,
    edge: Edge = Edge.BLACK,
) -> NDArray[np.uint8]:
    """Make one variant of a progenitor; its label is the progenitor's.

    Args:
        pixels: the squashed progenitor, shape (256, 256), uint8, or any other square.
        variant: one of `VARIANTS`.
        seed: together with `image_id` and the variant's name, it decides every random number.
        image_id: of the progenitor, such as its `file` in the labels.
        edge: what enters where the image is rotated or moved.

    Returns:
        The shape of `pixels`, uint8, a copy in C order.

    Raises:
        ValueError: the image is not a square of uint8.
    """
    pixels = square_picture(pixels, "a progenitor")
    return _perturbed(POSES[variant.pose](pixels, edge), variant, seed, image_id, edge)


def make_all_variants(
    pixels: NDArray[np.uint8], *, seed: int, image_id: str, edge: Edge = Edge.BLACK
) -> NDArray[np.uint8]:
    """Make all variants of a progenitor, each as `make_variant` does.

    Returns:
        Shape (106, 256, 256), uint8, in the order of `VARIANTS`.

    Raises:
        ValueError: the image is not a square of uint8.
    """
    pixels = square_picture(pixels, "a progenitor")
    posed = {name: pose(pixels, edge) for name, pose in POSES.items()}
    made = np.empty((len(VARIANTS), *pixels.shape), np.uint8)
    for number, variant in enumerate(VARIANTS):
        made[number] = _perturbed(posed[variant.pose], variant, seed, image_id, edge)
    return made


def _perturbed(
    posed: NDArray[np.uint8], variant: Variant, seed: int, image_id: str, edge: Edge
) -> NDArray[np.uint8]:
    if variant.perturbation is None:
        return posed.copy()
    rng = _generator(seed, image_id, variant)
    return np.ascontiguousarray(PERTURBATIONS[variant.perturbation](posed, rng, edge))


def _generator(seed: int, image_id: str, variant: Variant) -> np.random.Generator:
    """Make a generator that depends only on seed, image and variant."""
    key = f"{seed}\0{variant.name}\0{image_id}".encode(errors="surrogateescape")
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(key, digest_size=16).digest()))
