"""The fifteen perturbations: translation, spread, noise reduction, noise (paper, section 2).

The paper gives no amount for spread and noise. Ours: those of ImageMagick with its default
`-attenuate 1`, since the paper names its operators.
"""

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.augment.noise_reduction import reduce_noise
from cxrview.dataset.augment.poses import Edge, pad

Perturbation = Callable[[NDArray[np.uint8], np.random.Generator, Edge], NDArray[np.uint8]]
"""Takes an image, shape (rows, columns), uint8, a generator and the edge; gives another image."""

TRANSLATION = 3
"""Pixels (paper)."""
SPREAD_RADIUS = 2
"""Pixels, in rows and in columns. Ours."""
GAUSSIAN_SD = 0.078125 * 255
"""Standard deviation in grey values: 19.9."""
IMPULSE_SHARE = 0.1
"""Share of the pixels, half of them black and half white."""
LAPLACIAN_SCALE = 0.0390625 * 255
"""Mean distance in grey values: 10.0; the standard deviation is 14.1."""
POISSON_QUANTA = 12.5
"""Quanta that make a pixel white on average."""

_DIRECTIONS = {
    "north": (-1, 0),
    "north-east": (-1, 1),
    "east": (0, 1),
    "south-east": (1, 1),
    "south": (1, 0),
    "south-west": (1, -1),
    "west": (0, -1),
    "north-west": (-1, -1),
}


def translate(
    pixels: NDArray[np.uint8], down: int, right: int, edge: Edge = Edge.BLACK
) -> NDArray[np.uint8]:
    """Move the image by whole pixels within its frame; negative is up or to the left."""
    rows, columns = pixels.shape
    margin = max(abs(down), abs(right))
    top, left = margin - down, margin - right
    moved: NDArray[np.uint8] = pad(pixels, margin, edge)[top : top + rows, left : left + columns]
    return moved


def spread(
    pixels: NDArray[np.uint8], rng: np.random.Generator, radius: int = SPREAD_RADIUS
) -> NDArray[np.uint8]:
    """Take each pixel from a random place at most `radius` rows and columns away.

    All (2 radius + 1)^2 places are equally likely, also that of the pixel itself; beyond the
    edge, the nearest pixel. As ImageMagick's `-interpolate nearest -spread RADIUS`.
    """
    rows, columns = pixels.shape
    down, right = rng.integers(-radius, radius + 1, (2, rows, columns), np.int8)
    source_rows = np.clip(np.arange(rows)[:, None] + down, 0, rows - 1)
    source_columns = np.clip(np.arange(columns) + right, 0, columns - 1)
    taken: NDArray[np.uint8] = pixels[source_rows, source_columns]
    return taken


def add_gaussian_noise(
    pixels: NDArray[np.uint8], rng: np.random.Generator, sd: float = GAUSSIAN_SD
) -> NDArray[np.uint8]:
    """Add normal noise of the standard deviation `sd`, in grey values."""
    return _to_grey(pixels + np.float32(sd) * rng.standard_normal(pixels.shape, np.float32))


def add_impulse_noise(
    pixels: NDArray[np.uint8], rng: np.random.Generator, share: float = IMPULSE_SHARE
) -> NDArray[np.uint8]:
    """Make a `share` of the pixels black or white, with equal probability."""
    chance = rng.random(pixels.shape)
    noisy = pixels.copy()
    noisy[chance < share / 2] = 0
    noisy[chance >= 1 - share / 2] = 255
    return noisy


def add_laplacian_noise(
    pixels: NDArray[np.uint8], rng: np.random.Generator, scale: float = LAPLACIAN_SCALE
) -> NDArray[np.uint8]:
    """Add Laplacian noise of the density exp(-|x| / scale) / (2 scale), in grey values."""
    return _to_grey(pixels + rng.laplace(0, scale, pixels.shape))


def add_poisson_noise(
    pixels: NDArray[np.uint8], rng: np.random.Generator, quanta: float = POISSON_QUANTA
) -> NDArray[np.uint8]:
    """Add Poisson noise: a mean of `quanta` quanta for white and none for black.

    A table has each probability to within 1 in 65,536 and takes a fifth of the time of
    `rng.poisson`.
    """
    chance = rng.integers(0, 65536, pixels.shape, np.uint16)
    noisy: NDArray[np.uint8] = _counted_quanta(quanta)[pixels, chance]
    return noisy


@cache
def _counted_quanta(quanta: float) -> NDArray[np.uint8]:
    """Table of noisy grey values by true grey value and random number: 16 MB, uint8."""
    # From this count on, all pixels are white.
    white = math.ceil(quanta)
    mean = np.arange(256) * (quanta / 255)
    exactly = [np.exp(-mean)]
    for count in range(1, white):
        exactly.append(exactly[-1] * mean / count)
    at_most = np.rint(np.cumsum(exactly, axis=0) * 65536).astype(np.int64)
    grey = _to_grey(np.arange(white + 1) * (255 / quanta))
    times = np.diff(at_most, axis=0, prepend=0, append=65536)
    return np.stack([np.repeat(grey, times[:, level]) for level in range(256)])


def _to_grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    grey: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return grey


def _translation(down: int, right: int) -> Perturbation:
    return lambda pixels, rng, edge: translate(
        pixels, down * TRANSLATION, right * TRANSLATION, edge
    )


PERTURBATIONS: Mapping[str, Perturbation] = {
    **{f"translate-{name}": _translation(*step) for name, step in _DIRECTIONS.items()},
    "spread": lambda pixels, rng, edge: spread(pixels, rng),
    "noise-reduction-2": lambda pixels, rng, edge: reduce_noise(pixels, 2),
    "noise-reduction-5": lambda pixels, rng, edge: reduce_noise(pixels, 5),
    "gaussian-noise": lambda pixels, rng, edge: add_gaussian_noise(pixels, rng),
    "impulse-noise": lambda pixels, rng, edge: add_impulse_noise(pixels, rng),
    "laplacian-noise": lambda pixels, rng, edge: add_laplacian_noise(pixels, rng),
    "poisson-noise": lambda pixels, rng, edge: add_poisson_noise(pixels, rng),
}
"""By name."""
