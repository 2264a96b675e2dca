"""Draws pictures that do not show a chest, as negative examples for training.

There are few labelled ones (knees, hands, CT, ultrasound). These cost nothing, and a trunk trained
on photographs and radiographs should not call any of them a chest.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rng = np.random.Generator

SIDE = 256


def draw_not_chest(rng: Rng) -> Pixels:
    """Draw one picture of a random kind of DRAWN, shape (256, 256), uint8."""
    kind = DRAWN[int(rng.integers(len(DRAWN)))]
    return np.ascontiguousarray(kind(rng))


def blank(rng: Rng) -> Pixels:
    """One shade, or two with an edge between: an exposure without an object."""
    picture = np.full((SIDE, SIDE), rng.uniform(0, 255))
    if rng.random() < 0.5:
        picture[int(rng.integers(SIDE)) :] = rng.uniform(0, 255)
    return _grainy(picture, rng, 3)


def gradient(rng: Rng) -> Pixels:
    """Brighter to one side or to the middle: flat field, plate without an object."""
    down, right = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    angle, bend = rng.uniform(0, 2 * np.pi), rng.uniform(-1, 1)
    ramp = np.cos(angle) * down + np.sin(angle) * right + bend * (down**2 + right**2)
    return _stretched(ramp, rng)


def noise(rng: Rng) -> Pixels:
    """White, or smoothed to clouds of any size."""
    picture = rng.normal(0, 1, (SIDE, SIDE))
    if rng.random() < 0.8:
        picture = cv2.GaussianBlur(picture, (0, 0), float(np.exp(rng.uniform(0, 3.7))))
    return _stretched(picture, rng)


def text_page(rng: Rng) -> Pixels:
    """A report or a scanned form: lines of letters, maybe a table, dark on light or turned."""
    page = np.full((SIDE, SIDE), int(rng.integers(200, 256)), np.uint8)
    ink, size = int(rng.integers(0, 90)), rng.uniform(0.25, 0.7)
    letters = list("abcdefghijklmnopqrstuvwxyz      ABCDE0123456789.,:")
    row = int(rng.integers(8, 40))
    while row < SIDE:
        if rng.random() < 0.85:
            line = "".join(rng.choice(letters, int(rng.integers(3, 60))))
            at = (int(rng.integers(4, 30)), row)
            cv2.putText(page, line, at, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
        row += int(size * rng.uniform(28, 40))
    for _ in range(int(rng.integers(0, 6))):
        place = int(rng.integers(SIDE))
        across = (0, place), (SIDE, place)
        down = (place, 0), (place, SIDE)
        cv2.line(page, *(across if rng.random() < 0.6 else down), ink)
    return 255 - page if rng.random() < 0.3 else page


def scene(rng: Rng) -> Pixels:
    """A photograph made of shapes: ground, sky, and shaded objects in front of each other."""
    picture = gradient(rng).astype(np.float32)
    for _ in range(int(rng.integers(2, 14))):
        mask = np.zeros((SIDE, SIDE), np.uint8)
        if rng.random() < 0.5:
            axes = tuple(int(v) for v in rng.integers(6, 110, 2))
            middle = tuple(int(v) for v in rng.integers(0, SIDE, 2))
            cv2.ellipse(mask, middle, axes, rng.uniform(0, 180), 0, 360, 255, -1)
        else:
            corners = rng.integers(-20, SIDE + 20, (int(rng.integers(3, 7)), 2)).astype(np.int32)
            cv2.fillPoly(mask, [corners], 255)
        share = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.4, 4)).astype(np.float32) / 255
        share *= rng.uniform(0.4, 1)
        picture = picture * (1 - share) + gradient(rng) * share
    return _grainy(picture, rng, 6)


def bone(rng: Rng) -> Pixels:
    """A limb by geometry: bright shafts in grey flesh before black."""
    picture = np.zeros((SIDE, SIDE), np.float32)
    flesh, shaft = rng.uniform(60, 130), rng.uniform(150, 255)
    start, end = rng.integers(-30, SIDE + 30, (2, 2))
    width = int(rng.integers(40, 130))
    ends = tuple(map(int, start)), tuple(map(int, end))
    cv2.line(picture, *ends, flesh, width)
    for _ in range(int(rng.integers(1, 6))):
        shift = rng.integers(-width // 3, width // 3 + 1, (2, 2))
        place = tuple(map(int, start + shift[0])), tuple(map(int, end + shift[1]))
        cv2.line(picture, *place, shaft, int(rng.integers(6, max(7, width // 3))))
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(1, 5))
    return _grainy(picture, rng, 8)


def fan(rng: Rng) -> Pixels:
    """A sector of speckle on black, as ultrasound shows."""
    down, right = np.mgrid[0:SIDE, 0:SIDE].astype(np.float64)
    apex = rng.uniform(-60, 10), rng.uniform(90, 166)
    angle = np.arctan2(right - apex[1], down - apex[0])
    depth = np.hypot(right - apex[1], down - apex[0])
    speckle = cv2.GaussianBlur(rng.exponential(1, (SIDE, SIDE)), (0, 0), rng.uniform(0.6, 2))
    tissue = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)), (0, 0), rng.uniform(6, 25))
    shown = (abs(angle) < rng.uniform(0.4, 0.9)) & (depth < rng.uniform(180, 300))
    picture = speckle * (1 + 12 * tissue / max(abs(tissue).max(), 1e-6) * 0.08) * shown
    return _stretched(np.clip(picture, 0, np.percentile(picture, 99)), rng, shades=False)


def rings(rng: Rng) -> Pixels:
    """A CT slice: an ellipse with a bright rim and round shapes inside, on black."""
    picture = np.zeros((SIDE, SIDE), np.float32)
    axes = rng.uniform(60, 120, 2)
    middle = (int(rng.integers(108, 148)), int(rng.integers(108, 148)))
    rim, flesh = rng.uniform(120, 255), rng.uniform(40, 140)
    turn = rng.uniform(-20, 20)
    cv2.ellipse(picture, middle, tuple(int(a) for a in axes), turn, 0, 360, rim, -1)
    inner = tuple(int(a - rng.uniform(3, 14)) for a in axes)
    cv2.ellipse(picture, middle, inner, turn, 0, 360, flesh, -1)
    for _ in range(int(rng.integers(2, 12))):
        at = tuple(int(v) for v in np.array(middle) + rng.normal(0, 0.4, 2) * axes)
        size = tuple(int(v) for v in rng.integers(3, 36, 2))
        cv2.ellipse(picture, at, size, rng.uniform(0, 180), 0, 360, rng.uniform(0, 255), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.6, 2.5))
    return _grainy(picture, rng, 10)


DRAWN: tuple[Callable[[Rng], Pixels], ...] = (
    blank,
    gradient,
    noise,
    text_page,
    scene,
    scene,
    bone,
    fan,
    rings,
)
"""The kinds, each as likely as it is frequent here."""


def _grainy(picture: NDArray[np.floating], rng: Rng, most: float) -> Pixels:
    """Add Gaussian noise of a standard deviation up to `most` grey levels."""
    grain = rng.normal(0, rng.uniform(0, most), picture.shape)
    return np.asarray(np.clip(picture + grain, 0, 255), np.uint8)


def _stretched(picture: NDArray[np.floating], rng: Rng, *, shades: bool = True) -> Pixels:
    """Scale to grey levels between two random shades; from black to white without `shades`."""
    low, high = picture.min(), picture.max()
    share = (picture - low) / max(high - low, 1e-6)
    first, last = (rng.uniform(0, 255), rng.uniform(0, 255)) if shades else (0.0, 255.0)
    return np.asarray(np.rint(first + share * (last - first)), np.uint8)
