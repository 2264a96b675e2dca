"""Draws padding.png: one image with padding, windowed with and without it.

    python docs/pictures/padding.py

The chest is computed, not a patient's; its grey values and padding are like those of a
computed radiograph whose collimated border was filled with Pixel Padding Value -2000.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cxrview.image import minmax_to_uint8

PADDING = -2000
SIDE = 256
GAP = 12


def draw_chest() -> NDArray[np.int16]:
    """Two lungs, a heart and a spine within a collimated frame: shape (256, 256)."""
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    trunk = np.clip(1.1 - 0.7 * x**2 - 0.25 * y**2, 0, 1)
    lungs = sum(
        np.clip(1 - ((x - side * 0.42) / 0.3) ** 2 - ((y + 0.05) / 0.62) ** 2, 0, 1) ** 0.5
        for side in (-1, 1)
    )
    heart = 0.35 * np.clip(1 - ((x - 0.18) / 0.3) ** 2 - ((y - 0.3) / 0.3) ** 2, 0, 1) ** 0.5
    spine = 0.25 * np.exp(-((x / 0.07) ** 2))
    ribs = 0.06 * np.cos(28 * (y + 0.5 * x**2)) * (lungs > 0)
    grain = np.random.default_rng(0).normal(0, 0.012, x.shape)
    grey = 200 + 700 * (trunk - 0.55 * lungs + heart + spine + ribs + grain)
    frame = (np.abs(x) < 0.86) & (np.abs(y) < 0.9)
    return np.where(frame, grey, PADDING).astype(np.int16)


def main() -> None:
    """Write the picture beside this file."""
    chest = draw_chest()
    left_out, _ = minmax_to_uint8(chest, padding=chest == PADDING)
    counted, _ = minmax_to_uint8(chest)
    sheet = Image.new("L", (2 * SIDE + 3 * GAP, SIDE + 2 * GAP + 18), 255)
    draw = ImageDraw.Draw(sheet)
    for k, (pixels, title) in enumerate(
        [(left_out, "default: padding left out"), (counted, "--exact: padding counted, as DCMTK")]
    ):
        left = GAP + k * (SIDE + GAP)
        sheet.paste(Image.fromarray(pixels), (left, GAP))
        draw.text((left, SIDE + GAP + 6), title, fill=0)
    sheet.save(Path(__file__).with_suffix(".png"), optimize=True)


if __name__ == "__main__":
    main()
