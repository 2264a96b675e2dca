"""The 106 images that are made of each progenitor, by name and one by one (paper, section 2)."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.augment.perturb import PERTURBATIONS
from cxrview.dataset.augment.poses import POSES, Edge
from cxrview.errors import UsageError
from cxrview.records import Variant
from cxrview.records.pixels import square_picture

PROGENITOR = Variant(pose="identity", perturbation=None)

VARIANTS: tuple[Variant, ...] = (
    PROGENITOR,
    *(Variant(pose=pose, perturbation=name) for pose in POSES for name in PERTURBATIONS),
)
"""All of them, in the order of every array: the progenitor, then pose by pose. Ours: which 106."""

_BY_NAME = {variant.name: variant for variant in VARIANTS}


def variant_named(name: str) -> Variant:
    """Find a variant by its name.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in _BY_NAME:
        raise UsageError(f"there is no variant {name}", "Such as flip-horizontal/translate-north")
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
        pixels: the squashed progenitor, shape (256, 256), uint8; any square will do.
        variant: one of `VARIANTS`.
        seed: with `image_id` and the variant's name, decides every draw and nothing else does.
        image_id: of the progenitor, such as its `file` in the labels.
        edge: what enters where the picture is turned or moved.

    Returns:
        The shape of `pixels`, uint8, a copy in C order.

    Raises:
        ValueError: the picture is no square of uint8.
    """
    pixels = square_picture(pixels, "a progenitor")
    return _perturbed(POSES[variant.pose](pixels, edge), variant, seed, image_id, edge)


def make_all(
    pixels: NDArray[np.uint8], *, seed: int, image_id: str, edge: Edge = Edge.BLACK
) -> NDArray[np.uint8]:
    """Make all variants of a progenitor, each as `make_variant` does.

    Returns:
        Shape (106, 256, 256), uint8, in the order of `VARIANTS`.

    Raises:
        ValueError: the picture is no square of uint8.
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
    rng = _draws(seed, image_id, variant)
    return np.ascontiguousarray(PERTURBATIONS[variant.perturbation](posed, rng, edge))


def _draws(seed: int, image_id: str, variant: Variant) -> np.random.Generator:
    """The variant's own random numbers, whichever others are made, in whatever order or process."""
    key = f"{seed}\0{variant.name}\0{image_id}".encode(errors="surrogateescape")
    return np.random.default_rng(int.from_bytes(hashlib.blake2b(key, digest_size=16).digest()))
