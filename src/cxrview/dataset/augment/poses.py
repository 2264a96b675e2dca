"""Poses of a radiograph: the paper's seven (section 2), and our sixteen orientations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cxrview.records.pixels import square_picture
from cxrview.records.scores import PROGENITOR_NAME


class Edge(StrEnum):
    """What enters at the edge of a moved or rotated image. Ours: the paper does not say."""

    BLACK = "black"
    """Grey value 0, as outside the collimator."""
    REPEAT = "repeat"
    """The nearest pixel of the image."""


def pad(pixels: NDArray[np.uint8], margin: int, edge: Edge) -> NDArray[np.uint8]:
    """Pad the image: (rows, columns) to (rows + 2 margin, columns + 2 margin), uint8."""
    if edge is Edge.REPEAT:
        return np.pad(pixels, margin, mode="edge")
    return np.pad(pixels, margin)


Pose = Callable[[NDArray[np.uint8], Edge], NDArray[np.uint8]]
"""Takes a square image, shape (side, side), uint8, and the edge; gives another image."""

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
    """Rotate about the centre of the image; the frame stays, so that corners are lost.

    Args:
        pixels: shape (side, side), uint8.
        rotation_degrees: clockwise in the displayed image, as in ImageMagick.
        edge: what enters at the corners.

    Returns:
        Shape (side, side), uint8, bilinear between the four nearest pixels, rounded.

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    pixels = square_picture(pixels)
    corners, weights = _bilinear_sources(len(pixels), rotation_degrees)
    around = pad(pixels, 1, edge).ravel()
    grey = np.zeros(pixels.size, np.float32)
    for corner, weight in zip(corners, weights, strict=True):
        grey += weight * around[corner]
    return np.rint(grey).astype(np.uint8).reshape(pixels.shape)


@cache
def _bilinear_sources(
    side: int, rotation_degrees: float
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Compute the source of each pixel in the image padded by 1; the same for all images.

    Returns:
        Flat indices (4, side * side) of the four corners, and their weights.
    """
    middle = (side - 1) / 2
    down, right = np.mgrid[:side, :side].reshape(2, -1) - middle
    cos, sin = np.cos(np.radians(rotation_degrees)), np.sin(np.radians(rotation_degrees))
    # From the result back to the source; rows grow downwards, so clockwise is positive.
    # Beyond the margin of 1 all pixels are equal, so that a source may be clipped to it.
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


Orientation = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Takes images, shape (n, side, side), uint8; gives them turned, in the same shape."""

MIRRORED, INVERTED = "mirrored", "inverted"


def _turn(quarters: int, *, is_mirrored: bool, is_inverted: bool) -> Orientation:
    def turn(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        turned = np.rot90(pixels[:, :, ::-1] if is_mirrored else pixels, -quarters, axes=(1, 2))
        return np.ascontiguousarray(255 - turned if is_inverted else turned)

    return turn


def _name(quarters: int, *, is_mirrored: bool, is_inverted: bool) -> str:
    words = [MIRRORED] * is_mirrored
    words += [f"turned-{90 * quarters}"] * bool(quarters)
    words += [INVERTED] * is_inverted
    return "-".join(words) or PROGENITOR_NAME


ORIENTATIONS: Mapping[str, Orientation] = {
    _name(quarters, is_mirrored=mirrored, is_inverted=inverted): _turn(
        quarters, is_mirrored=mirrored, is_inverted=inverted
    )
    for inverted in (False, True)
    for mirrored in (False, True)
    for quarters in range(4)
}
"""By name, `progenitor` first; such as `mirrored-turned-90-inverted`: mirrored left for right, then
turned by 90 degrees clockwise, then inverted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseTruth:
    """What was done to an upright picture."""

    quarter_turns: int
    """Clockwise, 0 to 3, after mirroring."""
    is_mirrored: bool
    is_inverted: bool


def pose_of_orientation(name: str) -> PoseTruth:
    """Parse a name of ORIENTATIONS."""
    words = name.split("-")
    return PoseTruth(
        quarter_turns=int(words[words.index("turned") + 1]) // 90 if "turned" in words else 0,
        is_mirrored=MIRRORED in words,
        is_inverted=INVERTED in words,
    )
