"""What radiographs look like elsewhere: changes of exposure, framing and pose to train against.

Every change keeps the view. The amounts are ours; the paper's own 106 variants are another
thing. Pixels are (256, 256) uint8 in and out.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rng = np.random.Generator


def vary(pixels: Pixels, rng: Rng) -> Pixels:
    """Draw one appearance of a radiograph: each change in CHANGES by its own chance.

    Args:
        pixels: shape (256, 256), uint8.
        rng: the only source of chance, so that a seed gives the same bytes.
    """
    for chance, change in CHANGES:
        if rng.random() < chance:
            pixels = change(pixels, rng)
    return np.ascontiguousarray(pixels)


def crop(pixels: Pixels, rng: Rng) -> Pixels:
    """Keep 70 to 100 % of each side, stretched back: other framing, squeezed aspect."""
    side = pixels.shape[0]
    height, width = (int(side * s) for s in rng.uniform(0.7, 1.0, 2))
    top, left = int(rng.integers(side - height + 1)), int(rng.integers(side - width + 1))
    return _stretch(pixels[top : top + height, left : left + width], side)


def border(pixels: Pixels, rng: Rng) -> Pixels:
    """Frame with up to 40 pixels a side of black, white or grey: collimation, film edges."""
    side = pixels.shape[0]
    top, bottom, left, right = (int(w) for w in rng.integers(0, 41, 4))
    shade = int(rng.choice([0, 0, 255, int(rng.integers(256))]))
    inner = cv2.resize(
        pixels, (side - left - right, side - top - bottom), interpolation=cv2.INTER_AREA
    )
    framed = cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_CONSTANT, value=shade)
    return np.asarray(framed, np.uint8)


def mirror(pixels: Pixels, rng: Rng) -> Pixels:
    """Left for right."""
    return pixels[:, ::-1]


def upside_down(pixels: Pixels, rng: Rng) -> Pixels:
    """Top for bottom."""
    return pixels[::-1]


def quarter_turn(pixels: Pixels, rng: Rng) -> Pixels:
    """A turn by 90 degrees, either way."""
    return np.rot90(pixels, int(rng.choice([1, 3])))


def tilt(pixels: Pixels, rng: Rng) -> Pixels:
    """Rotate within 12 degrees; black, or the edge itself, comes in at the corners."""
    side = pixels.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-12, 12), 1.0)
    edge = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(pixels, turn, (side, side), borderMode=edge), np.uint8)


def expose(pixels: Pixels, rng: Rng) -> Pixels:
    """Gamma from e^-0.7 to e^0.7: exposure, detector curves, film."""
    gamma = np.exp(rng.uniform(-0.7, 0.7))
    return _through(pixels, 255 * (np.arange(256) / 255) ** gamma)


def clip_window(pixels: Pixels, rng: Rng) -> Pixels:
    """A window that cuts off up to 15 % of the darkest and of the brightest pixels."""
    low, high = np.percentile(pixels, [rng.uniform(0, 15), 100 - rng.uniform(0, 15)])
    return _through(pixels, (np.arange(256) - low) * 255 / max(high - low, 1))


def dull(pixels: Pixels, rng: Rng) -> Pixels:
    """Less contrast between two other ends: a hot pixel or marker took the window's range."""
    low, high = rng.uniform(0, 90), rng.uniform(150, 255)
    return _through(pixels, low + np.arange(256) * (high - low) / 255)


def invert(pixels: Pixels, rng: Rng) -> Pixels:
    """Bone dark, air bright: a MONOCHROME1 image exported without its polarity."""
    return 255 - pixels


def blur(pixels: Pixels, rng: Rng) -> Pixels:
    """Gaussian blur up to a sigma of 1.5 pixels, or pixels enlarged from half the size."""
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.5)), np.uint8)
    side = pixels.shape[0]
    small = int(side * rng.uniform(0.3, 0.8))
    return _stretch(np.asarray(cv2.resize(pixels, (small, small)), np.uint8), side)


def add_noise(pixels: Pixels, rng: Rng) -> Pixels:
    """Gaussian noise up to a deviation of 12 grey levels."""
    noise = rng.normal(0, rng.uniform(2, 12), pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def compress(pixels: Pixels, rng: Rng) -> Pixels:
    """JPEG at quality 15 to 70 and back."""
    quality = int(rng.integers(15, 71))
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def cover(pixels: Pixels, rng: Rng) -> Pixels:
    """A plain box over part of it: lead shield, burnt-in panel, blanked identity."""
    side = pixels.shape[0]
    height, width = (int(v) for v in rng.integers(side // 12, side // 3, 2))
    top, left = int(rng.integers(side - height)), int(rng.integers(side - width))
    covered = pixels.copy()
    shade = int(rng.choice([0, 255, int(rng.integers(256))]))
    covered[top : top + height, left : left + width] = shade
    return covered


def letter(pixels: Pixels, rng: Rng) -> Pixels:
    """One to three words or side markers in black or white."""
    marked = pixels.copy()
    for _ in range(int(rng.integers(1, 4))):
        word = str(rng.choice(["L", "R", "AP", "PA", "PORTABLE", "LAT", "ERECT", "12:41", "->"]))
        at = (int(rng.integers(0, 220)), int(rng.integers(15, 250)))
        size, shade = rng.uniform(0.3, 1.2), int(rng.choice([0, 255]))
        cv2.putText(
            marked, word, at, cv2.FONT_HERSHEY_SIMPLEX, size, shade, int(rng.integers(1, 3))
        )
    return marked


CHANGES: tuple[tuple[float, Callable[[Pixels, Rng], Pixels]], ...] = (
    (0.6, crop),
    (0.3, border),
    (0.5, mirror),
    (0.08, upside_down),
    (0.08, quarter_turn),
    (0.4, tilt),
    (0.5, expose),
    (0.2, clip_window),
    (0.15, dull),
    (0.2, blur),
    (0.2, add_noise),
    (0.15, compress),
    (0.1, cover),
    (0.2, letter),
    (0.1, invert),
)
"""Chance of each change, in the order in which they are made."""


def _stretch(pixels: Pixels, side: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _through(pixels: Pixels, curve: NDArray[np.float64]) -> Pixels:
    """Replace each grey level by its value on a curve of 256."""
    return np.clip(np.rint(curve), 0, 255).astype(np.uint8)[pixels]
