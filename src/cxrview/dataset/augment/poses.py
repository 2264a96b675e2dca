"""The seven poses of a radiograph: as it lies, mirrored, and turned (paper, section 2)."""

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.augment.edge import Edge, surround
from cxrview.records.pixels import square_picture

Pose = Callable[[NDArray[np.uint8], Edge], NDArray[np.uint8]]
"""Takes a square picture, shape (side, side), uint8, and what enters; gives another."""

POSES: Mapping[str, Pose] = {
    "identity": lambda pixels, edge: pixels,
    "flip-horizontal": lambda pixels, edge: pixels[:, ::-1],
    "flip-vertical": lambda pixels, edge: pixels[::-1],
    "rotate-2-clockwise": lambda pixels, edge: rotate(pixels, 2, edge),
    "rotate-2-anticlockwise": lambda pixels, edge: rotate(pixels, -2, edge),
    "rotate-90-clockwise": lambda pixels, edge: np.rot90(pixels, -1),
    "rotate-90-anticlockwise": lambda pixels, edge: np.rot90(pixels),
}
"""By name. Ours: which seven; the paper names the kinds (reflection, rotation by 2 or 90)."""


def rotate(
    pixels: NDArray[np.uint8], rotation_degrees: float, edge: Edge = Edge.BLACK
) -> NDArray[np.uint8]:
    """Turn about the middle of the picture; the frame stays, so corners leave it.

    Args:
        pixels: shape (side, side), uint8.
        rotation_degrees: clockwise as the picture is seen, as in ImageMagick.
        edge: what enters where the corners were.

    Returns:
        Shape (side, side), uint8, bilinear between the four nearest pixels, rounded.

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    pixels = square_picture(pixels)
    corners, weights = _bilinear_sources(len(pixels), rotation_degrees)
    around = surround(pixels, 1, edge).ravel()
    grey = np.zeros(pixels.size, np.float32)
    for corner, weight in zip(corners, weights, strict=True):
        grey += weight * around[corner]
    return np.rint(grey).astype(np.uint8).reshape(pixels.shape)


@cache
def _bilinear_sources(
    side: int, rotation_degrees: float
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Where each pixel comes from, in the picture surrounded by 1; the same for all pictures.

    Returns:
        Flat indices (4, side * side) of the four corners, and their weights.
    """
    middle = (side - 1) / 2
    down, right = np.mgrid[:side, :side].reshape(2, -1) - middle
    cos, sin = np.cos(np.radians(rotation_degrees)), np.sin(np.radians(rotation_degrees))
    # Back from the result to the source; rows grow downwards, so clockwise is positive.
    # Beyond the margin of 1 all is alike, so that a source may be drawn back to it.
    source_down = np.clip(middle + cos * down - sin * right, -1, side) + 1
    source_right = np.clip(middle + sin * down + cos * right, -1, side) + 1
    top = np.minimum(source_down.astype(np.intp), side)
    left = np.minimum(source_right.astype(np.intp), side)
    below, beside = source_down - top, source_right - left
    stride = side + 2
    first = top * stride + left
    corners = np.stack([first, first + 1, first + stride, first + stride + 1])
    weights = np.stack(
        [
            (1 - below) * (1 - beside),
            (1 - below) * beside,
            below * (1 - beside),
            below * beside,
        ]
    )
    return corners, weights.astype(np.float32)
