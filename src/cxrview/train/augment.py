"""Augmentation of the recipes: random changes of exposure, framing and pose.

Every change keeps the view. The amounts are ours; the paper's 106 variants are in
`dataset.augment`. Pixels are (256, 256) uint8 in and out.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rng = np.random.Generator


def augment(pixels: Pixels, chances: Mapping[str, float], rng: Rng) -> Pixels:
    """Change a radiograph at random: each change with its probability, in order of AUGMENTATIONS.

    Args:
        pixels: shape (256, 256), uint8.
        chances: probability of each change, 0 to 1, by name; a change without one is not made.
        rng: the only source of randomness, so that a seed gives the same bytes.
    """
    for name, change in AUGMENTATIONS.items():
        if name in chances and rng.random() < chances[name]:
            pixels = change(pixels, rng)
    return np.ascontiguousarray(pixels)


def crop(pixels: Pixels, rng: Rng) -> Pixels:
    """Crop to 70 to 100 % of each side and stretch: other framing, other aspect ratio."""
    side = pixels.shape[0]
    height, width = (int(side * s) for s in rng.uniform(0.7, 1.0, 2))
    top, left = int(rng.integers(side - height + 1)), int(rng.integers(side - width + 1))
    return _stretch(pixels[top : top + height, left : left + width], side)


def border(pixels: Pixels, rng: Rng) -> Pixels:
    """Add a frame of up to 40 pixels a side, black, white or grey: collimation, film edges."""
    side = pixels.shape[0]
    top, bottom, left, right = (int(w) for w in rng.integers(0, 41, 4))
    shade = int(rng.choice([0, 0, 255, int(rng.integers(256))]))
    inner = cv2.resize(
        pixels, (side - left - right, side - top - bottom), interpolation=cv2.INTER_AREA
    )
    framed = cv2.copyMakeBorder(inner, top, bottom, left, right, cv2.BORDER_CONSTANT, value=shade)
    return np.asarray(framed, np.uint8)


def collimate(pixels: Pixels, rng: Rng) -> Pixels:
    """Expose only a rotated rectangle; the rest is black, white or grey."""
    side = pixels.shape[0]
    half = rng.uniform(0.33, 0.52, 2) * side
    middle = side / 2 + rng.uniform(-0.08, 0.08, 2) * side
    outline = cv2.boxPoints((tuple(middle), tuple(2 * half), rng.uniform(-10, 10)))
    exposed = np.zeros(pixels.shape, np.uint8)
    cv2.fillConvexPoly(exposed, np.rint(outline).astype(np.int32), 255, lineType=cv2.LINE_AA)
    share = exposed.astype(np.float32) / 255
    shade = float(rng.choice([0, 0, 255, int(rng.integers(256))]))
    return np.rint(pixels * share + shade * (1 - share)).astype(np.uint8)


def squeeze(pixels: Pixels, rng: Rng) -> Pixels:
    """Shrink one side by a third at most, and fill the two bars."""
    side = pixels.shape[0]
    width = int(side * rng.uniform(0.67, 0.95))
    before = int(rng.integers(0, side - width + 1))
    shade = int(rng.choice([0, 0, 255, int(rng.integers(256))]))
    framed = np.full(pixels.shape, shade, np.uint8)
    across = bool(rng.random() < 0.5)
    size = (width, side) if across else (side, width)
    inner = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    place = (slice(None), slice(before, before + width))
    framed[place if across else place[::-1]] = inner
    return framed


def screenshot(pixels: Pixels, rng: Rng) -> Pixels:
    """Put it into the window of a viewer: bars of buttons and lines of text."""
    side = pixels.shape[0]
    top, left, right = (int(v) for v in rng.integers(0, side // 5, 3))
    shade = int(rng.integers(256))
    window = np.full(pixels.shape, shade, np.uint8)
    inner = (side - left - right, side - top)
    window[top:, left : side - right] = cv2.resize(pixels, inner, interpolation=cv2.INTER_AREA)
    ink = 255 if shade < 128 else 0
    for _ in range(int(rng.integers(2, 8))):
        at = (int(rng.integers(0, side - 40)), int(rng.integers(8, max(top, 9) + 1)))
        word = "".join(rng.choice(list("abcdefghij 0123456789:"), int(rng.integers(3, 12))))
        cv2.putText(window, word, at, cv2.FONT_HERSHEY_PLAIN, rng.uniform(0.5, 0.9), ink)
    for _ in range(int(rng.integers(0, 8))):
        row, size = int(rng.integers(top, side)), int(rng.integers(4, 14))
        column = int(rng.integers(0, max(left, 1)))
        button = (column, row), (column + size, row + size)
        cv2.rectangle(window, *button, ink, 1 if rng.random() < 0.5 else -1)
    return window


def mirror(pixels: Pixels, rng: Rng) -> Pixels:
    """Flip left and right."""
    return pixels[:, ::-1]


def upside_down(pixels: Pixels, rng: Rng) -> Pixels:
    """Flip top and bottom."""
    return pixels[::-1]


def quarter_turn(pixels: Pixels, rng: Rng) -> Pixels:
    """Rotate by 90 degrees, in either direction."""
    return np.rot90(pixels, int(rng.choice([1, 3])))


def tilt(pixels: Pixels, rng: Rng) -> Pixels:
    """Rotate by up to 12 degrees; the corners are black or repeat the edge."""
    side = pixels.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(-12, 12), 1.0)
    edge = cv2.BORDER_CONSTANT if rng.random() < 0.5 else cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(pixels, turn, (side, side), borderMode=edge), np.uint8)


def expose(pixels: Pixels, rng: Rng) -> Pixels:
    """Apply a gamma from e^-0.7 to e^0.7: exposure, detector curves, film."""
    gamma = np.exp(rng.uniform(-0.7, 0.7))
    return _through(pixels, 255 * (np.arange(256) / 255) ** gamma)


def clip_window(pixels: Pixels, rng: Rng) -> Pixels:
    """Apply a window that clips up to 15 % of the darkest and of the brightest pixels."""
    low, high = np.percentile(pixels, [rng.uniform(0, 15), 100 - rng.uniform(0, 15)])
    return _through(pixels, (np.arange(256) - low) * 255 / max(high - low, 1))


def dull(pixels: Pixels, rng: Rng) -> Pixels:
    """Reduce the contrast, as where a hot pixel or marker takes up the range of the window."""
    low, high = rng.uniform(0, 90), rng.uniform(150, 255)
    return _through(pixels, low + np.arange(256) * (high - low) / 255)


def invert(pixels: Pixels, rng: Rng) -> Pixels:
    """Invert: bone dark, air bright, as a MONOCHROME1 image exported without its polarity."""
    return 255 - pixels


def haze(pixels: Pixels, rng: Rng) -> Pixels:
    """Add clouds over a part: consolidated or collapsed lung, effusion, much soft tissue."""
    side = pixels.shape[0]
    # Made small and enlarged: such a wide blur takes a hundred times longer at full size.
    small = side // 8
    cloud = cv2.GaussianBlur(
        rng.normal(0, 1, (small, small)), (0, 0), small * rng.uniform(0.06, 0.25)
    )
    cloud = cv2.resize(cloud, (side, side), interpolation=cv2.INTER_CUBIC)
    cloud = (cloud - cloud.min()) / max(cloud.max() - cloud.min(), 1e-6)
    share = np.clip(cloud * rng.uniform(0.4, 1.3), 0, rng.uniform(0.5, 0.9))
    shade = rng.uniform(120, 230)
    return np.asarray(np.rint(pixels * (1 - share) + shade * share), np.uint8)


def wires(pixels: Pixels, rng: Rng) -> Pixels:
    """Add up to eight smooth bright curves: cables, lines and tubes of intensive care."""
    side = pixels.shape[0]
    drawn = np.zeros(pixels.shape, np.uint8)
    along = np.linspace(0, 1, 40)[:, None]
    for _ in range(int(rng.integers(1, 9))):
        a, b, c, d = rng.uniform(-0.2, 1.2, (4, 2)) * side
        curve = (1 - along) ** 3 * a + 3 * along * (1 - along) ** 2 * b
        curve = curve + 3 * along**2 * (1 - along) * c + along**3 * d
        points = np.rint(curve * 16).astype(np.int32)[:, None]
        width, shade = 2 if rng.random() < 0.25 else 1, int(rng.integers(30, 140))
        cv2.polylines(drawn, [points], False, shade, width, cv2.LINE_AA, shift=4)
    return np.asarray(np.clip(pixels.astype(np.int32) + drawn, 0, 255), np.uint8)


def blur(pixels: Pixels, rng: Rng) -> Pixels:
    """Blur with a sigma of up to 1.5 pixels, or shrink and enlarge again."""
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.5)), np.uint8)
    side = pixels.shape[0]
    small = int(side * rng.uniform(0.3, 0.8))
    return _stretch(np.asarray(cv2.resize(pixels, (small, small)), np.uint8), side)


def add_noise(pixels: Pixels, rng: Rng) -> Pixels:
    """Add Gaussian noise of a standard deviation up to 12 grey levels."""
    noise = rng.normal(0, rng.uniform(2, 12), pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def compress(pixels: Pixels, rng: Rng) -> Pixels:
    """Compress as JPEG of quality 15 to 70, and decompress."""
    quality = int(rng.integers(15, 71))
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)


def cover(pixels: Pixels, rng: Rng) -> Pixels:
    """Cover a part with a plain box: lead shield, burnt-in panel, masked identity."""
    side = pixels.shape[0]
    height, width = (int(v) for v in rng.integers(side // 12, side // 3, 2))
    top, left = int(rng.integers(side - height)), int(rng.integers(side - width))
    covered = pixels.copy()
    shade = int(rng.choice([0, 255, int(rng.integers(256))]))
    covered[top : top + height, left : left + width] = shade
    return covered


def letter(pixels: Pixels, rng: Rng) -> Pixels:
    """Add one to three words or side markers in black or white."""
    marked = pixels.copy()
    for _ in range(int(rng.integers(1, 4))):
        word = str(rng.choice(["L", "R", "AP", "PA", "PORTABLE", "LAT", "ERECT", "12:41", "->"]))
        at = (int(rng.integers(0, 220)), int(rng.integers(15, 250)))
        size, shade = rng.uniform(0.3, 1.2), int(rng.choice([0, 255]))
        cv2.putText(
            marked, word, at, cv2.FONT_HERSHEY_SIMPLEX, size, shade, int(rng.integers(1, 3))
        )
    return marked


AUGMENTATIONS: Mapping[str, Callable[[Pixels, Rng], Pixels]] = {
    change.__name__: change
    for change in (
        crop,
        border,
        collimate,
        squeeze,
        screenshot,
        mirror,
        upside_down,
        quarter_turn,
        tilt,
        expose,
        clip_window,
        dull,
        haze,
        wires,
        blur,
        add_noise,
        compress,
        cover,
        letter,
        invert,
    )
}
"""By name, in the order in which they are applied. Recipes give the probabilities."""


def _stretch(pixels: Pixels, side: int) -> Pixels:
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)


def _through(pixels: Pixels, curve: NDArray[np.float64]) -> Pixels:
    """Replace each grey level by its value on a curve of 256."""
    return np.clip(np.rint(curve), 0, 255).astype(np.uint8)[pixels]
