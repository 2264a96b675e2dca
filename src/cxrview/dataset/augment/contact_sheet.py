"""Draws all 106 variants of one radiograph on one labelled sheet."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.augment.perturb import PERTURBATIONS
from cxrview.dataset.augment.poses import POSES
from cxrview.dataset.augment.variants import VARIANTS

if TYPE_CHECKING:
    from PIL import ImageDraw

GAP = 2
"""Black pixels between the pictures."""
WHITE = 255


def draw_contact_sheet(variants: NDArray[np.uint8], tile: int = 128) -> NDArray[np.uint8]:
    """Draw the progenitor in the corner, a row for each pose and a column for each perturbation.

    Args:
        variants: shape (106, side, side), uint8, in the order of `VARIANTS`.
        tile: rows and columns of each picture on the sheet.

    Returns:
        Shape (8 (tile + 2) - 2, 16 (tile + 2) - 2), uint8.

    Raises:
        ValueError: there are not 106.
    """
    from PIL import Image, ImageDraw

    if len(variants) != len(VARIANTS):
        raise ValueError(f"a sheet needs {len(VARIANTS)} variants; got {len(variants)}")
    step, across = tile + GAP, 1 + len(PERTURBATIONS)
    sheet = Image.new("L", (across * step - GAP, (1 + len(POSES)) * step - GAP))
    for place, pixels in zip(_places(), variants, strict=True):
        small = Image.fromarray(pixels).resize((tile, tile), Image.Resampling.LANCZOS)
        sheet.paste(small, (place[1] * step, place[0] * step))
    pen = ImageDraw.Draw(sheet)
    for row, name in enumerate(POSES, start=1):
        _write(pen, name, (row * step + tile // 2, tile // 2), tile)
    for column, name in enumerate(PERTURBATIONS, start=1):
        _write(pen, name, (tile // 2, column * step + tile // 2), tile)
    _write(pen, "progenitor", (tile - tile // 12, tile // 2), tile)
    return np.asarray(sheet)


def _places() -> list[tuple[int, int]]:
    """Give row and column of each variant, in tiles."""
    inside = [(row, column) for row in range(len(POSES)) for column in range(len(PERTURBATIONS))]
    return [(0, 0), *((row + 1, column + 1) for row, column in inside)]


def _write(pen: "ImageDraw.ImageDraw", name: str, middle: tuple[int, int], tile: int) -> None:
    from PIL import ImageFont

    # The longest line, anticlockwise, must fit into a tile.
    font = ImageFont.load_default(size=tile / 7.5)
    pen.multiline_text(
        middle[::-1],
        _in_lines(name),
        fill=WHITE,
        font=font,
        spacing=tile / 18,
        anchor="mm",
        align="center",
        stroke_width=1,
        stroke_fill=0,
    )


def _in_lines(name: str) -> str:
    """`rotate-2-clockwise` as `rotate 2` and `clockwise`; `translate-north-east` as two lines."""
    kind, _, rest = name.partition("-")
    number, _, direction = rest.partition("-")
    if number.isdecimal():
        return f"{kind} {number}\n{direction}"
    last = rest.removeprefix("reduction-")
    return f"{kind}\n{rest}" if last == rest else f"{kind}\nreduction {last}"
