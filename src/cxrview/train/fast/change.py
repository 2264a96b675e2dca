"""Random changes of a training picture: pose and inversion, which are targets, and all others."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cxrview.train.augment import augment
from cxrview.train.fast.recipe import SIDE, FastRecipe

Pixels = NDArray[np.uint8]
WORDS = ("L", "R", "AP", "PA", "PORTABLE", "SUPINE", "ERECT", "LAT", "LL", "MOBILE", "12:41", "->")
"""What stands in the corners of radiographs; drawn whatever the picture shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A changed picture, and what was done to it."""

    pixels: Pixels
    """Shape (224, 224), uint8."""
    quarter_turns: int
    """Clockwise, 0 to 3, after mirroring."""
    is_mirrored: bool
    """Left for right, before the quarter turns."""
    is_inverted: bool


def change_picture(pixels: Pixels, recipe: FastRecipe, rng: np.random.Generator) -> Changed:
    """Change a picture at random; the view, the projection and what it shows stay the same.

    Words are put into the corners before or after mirroring and turn, with equal probability: so
    readable words show neither which way is up nor which side is left. Words that are mirrored
    show a mirrored picture, as the markers of a radiograph do.

    Args:
        pixels: shape (256, 256), uint8, upright.
        recipe: probabilities of each change.
        rng: the only source of randomness.
    """
    is_mirrored = bool(rng.random() < recipe.mirrored)
    turns = int(rng.integers(1, 4)) if rng.random() < recipe.turned else 0
    has_words = rng.random() < recipe.corner_words
    are_words_first = rng.random() < 0.5
    if has_words and are_words_first:
        pixels = write_in_corners(pixels, rng)
    if is_mirrored:
        pixels = pixels[:, ::-1]
    pixels = np.ascontiguousarray(np.rot90(pixels, -turns))
    if rng.random() < recipe.hidden_edges:
        pixels = hide_edges(pixels, rng)
    pixels = augment(pixels, recipe.chances, rng)
    if has_words and not are_words_first:
        pixels = write_in_corners(pixels, rng)
    is_inverted = bool(rng.random() < recipe.inverted)
    return Changed(
        pixels=to_model_side(255 - pixels if is_inverted else pixels),
        quarter_turns=turns,
        is_mirrored=is_mirrored,
        is_inverted=is_inverted,
    )


def to_model_side(pixels: Pixels) -> Pixels:
    """Resize (256, 256) to (224, 224), as the exported model does up to rounding."""
    return np.asarray(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)


def write_in_corners(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Write a word into one to four of the corners, in black, white or grey."""
    marked = np.ascontiguousarray(pixels).copy()
    side = len(marked)
    for corner in rng.permutation(4)[: int(rng.integers(1, 5))]:
        word = WORDS[int(rng.integers(len(WORDS)))]
        size, thick = rng.uniform(0.3, 1.3), int(rng.integers(1, 3))
        (width, height), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
        in_x, in_y = (int(v) for v in rng.integers(2, 40, 2))
        left = in_x if corner % 2 else side - in_x - width
        bottom = in_y + height if corner < 2 else side - in_y
        shade = int(rng.choice([0, 255, 255, int(rng.integers(256))]))
        cv2.putText(
            marked, word, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, size, shade, thick, cv2.LINE_AA
        )
    return marked


def hide_edges(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Cover up to a seventh of the picture at each edge with one shade."""
    hidden = pixels.copy()
    side = len(hidden)
    top, bottom, left, right = (int(v) for v in rng.integers(0, side // 7, 4))
    shade = int(rng.choice([0, 0, 255, int(rng.integers(256))]))
    hidden[:top] = hidden[side - bottom :] = shade
    hidden[:, :left] = hidden[:, side - right :] = shade
    return hidden
