"""Time of the 106 variants of one radiograph on one core, against a straightforward version.

Usage: python benchmarks/augment.py [ROUNDS]

The straightforward version uses scipy.ndimage for rotation and translation, a generic filter for
noise reduction, and makes each variant separately from the progenitor. Prints the processor time
of the fastest round, and the ratio in the same run.
"""

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cxrview.dataset.augment.perturb import (
    GAUSSIAN_SD,
    IMPULSE_SHARE,
    LAPLACIAN_SCALE,
    POISSON_QUANTA,
    SPREAD_RADIUS,
    TRANSLATION,
)
from cxrview.dataset.augment.variants import VARIANTS, make_all_variants, make_variant
from cxrview.image import squash
from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import render_patient
from cxrview.terms import Projection

Pixels = NDArray[np.uint8]
STEP = {"north": (-1, 0), "south": (1, 0), "east": (0, 1), "west": (0, -1)}


def main(rounds: int) -> None:
    """Measure and print."""
    cv2.setNumThreads(1)
    drawn = render_patient(draw_patient(1, seed=0), Projection.PA, (512, 420), bits=8)
    pixels = squash(drawn.astype(np.uint8))

    def one_by_one() -> None:
        for variant in VARIANTS:
            make_variant(pixels, variant, seed=0, image_id="drawn")

    ways = {
        "make_all_variants": (lambda: make_all_variants(pixels, seed=0, image_id="drawn"), rounds),
        "make_variant, one by one": (one_by_one, rounds),
        "the plain way": (lambda: plain(pixels), 1),
    }
    taken = {name: fastest(way, times) for name, (way, times) in ways.items()}
    for name, seconds in taken.items():
        ratio = taken["the plain way"] / seconds
        print(f"{name:26}{seconds * 1e3:10.1f} ms{ratio:8.1f} x as fast as the plain way")


def fastest(way: Callable[[], object], times: int) -> float:
    """Measure the processor seconds of the fastest call, after one that fills the caches."""
    if times > 1:
        way()
    seconds = []
    for _ in range(times):
        began = time.process_time()
        way()
        seconds.append(time.process_time() - began)
    return min(seconds)


def plain(pixels: Pixels) -> list[Pixels]:
    """Make the same 106 in the straightforward way."""
    rng = np.random.default_rng(0)
    made = [pixels.copy()]
    for variant in VARIANTS[1:]:
        made.append(plain_perturbation(plain_pose(pixels, variant.pose), variant.perturbation, rng))
    return made


def plain_pose(pixels: Pixels, name: str) -> Pixels:
    """Make one pose."""
    kind, *rest = name.split("-")
    if kind == "rotate":
        degrees = float(rest[0]) * (-1 if rest[1] == "clockwise" else 1)
        return ndimage.rotate(pixels, degrees, reshape=False, order=1)
    if kind == "flip":
        return np.flip(pixels, 1 if rest == ["horizontal"] else 0)
    return pixels


def plain_perturbation(pixels: Pixels, name: str | None, rng: np.random.Generator) -> Pixels:
    """Make one perturbation."""
    kind, *rest = str(name).split("-")
    if kind == "translate":
        step = TRANSLATION * np.sum([STEP[direction] for direction in rest], axis=0)
        return ndimage.shift(pixels, step, order=0)
    if kind == "spread":
        down, right = rng.integers(-SPREAD_RADIUS, SPREAD_RADIUS + 1, (2, *pixels.shape))
        places = np.indices(pixels.shape) + [down, right]
        return ndimage.map_coordinates(pixels, places, order=0, mode="nearest")
    if kind == "noise":
        width = int(rest[1])
        return ndimage.generic_filter(pixels, plain_not_a_peak, size=width, mode="nearest")
    grey = pixels.astype(float)
    if kind == "gaussian":
        grey += rng.normal(0, GAUSSIAN_SD, grey.shape)
    elif kind == "laplacian":
        grey += rng.laplace(0, LAPLACIAN_SCALE, grey.shape)
    elif kind == "poisson":
        grey = rng.poisson(grey * POISSON_QUANTA / 255) * 255 / POISSON_QUANTA
    else:
        chance = rng.random(grey.shape)
        grey[chance < IMPULSE_SHARE / 2] = 0
        grey[chance >= 1 - IMPULSE_SHARE / 2] = 255
    return np.clip(np.rint(grey), 0, 255).astype(np.uint8)


def plain_not_a_peak(window: NDArray[np.float64]) -> float:
    """Give the median of a neighbourhood, or the next value if it is an extreme."""
    median = float(np.sort(window)[len(window) // 2])
    darker, brighter = window[window < median], window[window > median]
    if not len(darker) and len(brighter):
        return float(brighter.min())
    return float(darker.max()) if len(darker) and not len(brighter) else median


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
