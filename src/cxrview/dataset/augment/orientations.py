"""The sixteen ways in which a radiograph may lie: eight poses, grey values as they are or inverted.

Other than the paper's seven poses (`dataset.poses`), these are all that mirrors and quarter turns
make, and nothing else.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from cxrview.records.scores import PROGENITOR_NAME

Orientation = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Pictures, shape (n, side, side), uint8, to as many."""

INVERTED = "inverted"


def _turn(quarters: int, *, is_mirrored: bool, is_inverted: bool) -> Orientation:
    def turn(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        turned = np.rot90(pixels[:, :, ::-1] if is_mirrored else pixels, -quarters, axes=(1, 2))
        return np.ascontiguousarray(255 - turned if is_inverted else turned)

    return turn


def _name(quarters: int, *, is_mirrored: bool, is_inverted: bool) -> str:
    words = ["mirrored"] * is_mirrored
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
