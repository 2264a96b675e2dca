"""Draw an occlusion map beside its radiograph, with Pillow only: no extra is needed for it."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cxrview.classify.explain import Explanation
from cxrview.terms import Decision

_SIDE = 640
"""Longer side of a panel, in pixels."""
_GAP = 16
_LINE = 24
_BAR = (240, 14)
"""Width and height of the colour bar, in pixels."""
_BELOW_0, _ABOVE_0 = (86, 180, 233), (230, 159, 0)
"""Blue and orange of Okabe and Ito, which colour-blind readers can distinguish."""
_LEAST = 0.001
"""Percentage points; a PFI is rounded to as much, so that a smaller change is none."""
_STRONGEST = 0.75
"""Opacity of the colour at the largest change, 0 to 1, so that the image stays visible."""

_VIEW_KEY = "blue: evidence for frontal; orange: for lateral"
_CHEST_KEY = "blue: like a chest radiograph; orange: unlike one"

Picture = NDArray[np.uint8]


def explanation_png(explanation: Explanation, pixels: Picture | None = None) -> bytes:
    """Draw a radiograph and, beside it, the same with its occlusion map; as PNG.

    The map is that of `chest` for an image that was refused as no chest radiograph, else that of
    PFI. Its colours are scaled to the largest change, which stands at the colour bar. The picture
    holds no value of the header; the pixels may show burned-in text.

    Args:
        explanation: of the image.
        pixels: shape (rows, columns), uint8: the image in its own shape and size; None for the
            square that the model takes.
    """
    grey = _resize(explanation.pixels if pixels is None else pixels, _SIDE)
    change = _change(explanation)
    coloured = _overlay(grey, change)
    rows, columns = grey.shape
    left = max(columns, 2 * _BAR[0])
    page = Image.new("RGB", (2 * left + 3 * _GAP, rows + 3 * _LINE + 3 * _GAP), "white")
    page.paste(Image.fromarray(grey), (_GAP + (left - columns) // 2, _GAP))
    page.paste(Image.fromarray(coloured), (2 * _GAP + left + (left - columns) // 2, _GAP))
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=17)
    top = rows + 2 * _GAP
    for number, line in enumerate(caption(explanation)):
        draw.text((_GAP, top + number * _LINE), line, "black", font)
    _draw_bar(page, explanation, change, (2 * _GAP + left, top))
    return _png(page)


def draw_overlay(explanation: Explanation, pixels: Picture, side: int) -> Picture:
    """Draw only the radiograph with its map over it.

    Args:
        explanation: of the image.
        pixels: shape (rows, columns), uint8: the image in its own shape and size.
        side: of the longer side of the result, in pixels.

    Returns:
        Shape (rows, columns, 3), uint8, red, green and blue.
    """
    return _overlay(_resize(pixels, side), _change(explanation))


def caption(explanation: Explanation) -> list[str]:
    """Describe the decision in two lines, such as `classified as frontal` and `PFI 99.958 %`."""
    found = explanation.prediction
    decision = {
        Decision.CLASSIFIED: f"classified as {found.view}",
        Decision.REVIEW: "sent to review",
        Decision.NOT_CHEST: "refused: not a chest radiograph",
    }[found.decision]
    chest = "" if found.chest is None else f", chest {found.chest:.3f} %"
    return [
        decision,
        f"PFI {found.pfi:.3f} %{chest}",
        f"model {found.model_id}; not a medical device",
    ]


def is_map_of_chest(explanation: Explanation) -> bool:
    """Whether the map that is drawn is that of `chest`."""
    return (
        explanation.prediction.decision is Decision.NOT_CHEST
        and explanation.chest_change is not None
    )


def _change(explanation: Explanation) -> NDArray[np.float64]:
    """The map that is drawn: shape (side, side), percentage points."""
    chest = explanation.chest_change
    if chest is None or not is_map_of_chest(explanation):
        return explanation.by_pixel(explanation.pfi_change)
    return explanation.by_pixel(chest)


def _resize(pixels: Picture, side: int) -> Picture:
    """Resize to a longer side of so many pixels; the aspect ratio is kept."""
    rows, columns = pixels.shape
    scale = side / max(rows, columns)
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _overlay(grey: Picture, change: NDArray[np.float64]) -> Picture:
    """Colour a grey image by a map, stretched to its shape.

    Args:
        grey: shape (rows, columns).
        change: shape (side, side), percentage points.

    Returns:
        Shape (rows, columns, 3).
    """
    rows, columns = grey.shape
    image = Image.fromarray(change.astype(np.float32)).resize((columns, rows))
    strength = np.asarray(image, np.float64) / max(float(np.abs(change).max()), _LEAST)
    opacity = np.clip(np.abs(strength), 0, 1)[..., None] * _STRONGEST
    colour = np.where(strength[..., None] < 0, _BELOW_0, _ABOVE_0)
    # The image darkens the colour, so that anatomy stays visible below it.
    shaded = colour * (0.35 + 0.65 * grey[..., None] / 255)
    mixed: Picture = np.rint(grey[..., None] * (1 - opacity) + shaded * opacity).astype(np.uint8)
    return mixed


def _draw_bar(
    page: Image.Image,
    explanation: Explanation,
    change: NDArray[np.float64],
    corner: tuple[int, int],
) -> None:
    """Draw the colour bar, its ends in percentage points, and what the colours mean."""
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=17)
    left, top = corner
    is_of_chest = is_map_of_chest(explanation)
    name = "chest" if is_of_chest else "PFI"
    largest = float(np.abs(change).max())
    if largest < _LEAST:
        lines = [f"No covered region changes {name}", f"by {_LEAST} percentage points or more."]
        for number, line in enumerate(lines):
            draw.text((left, top + number * _LINE), line, "black", font)
        return
    width, height = _BAR
    ramp = np.tile(np.linspace(-1, 1, width), (height, 1))
    bar = _overlay(np.full((height, width), 128, np.uint8), ramp)
    end = f"{largest:.3g}"
    start = left + round(draw.textlength(f"-{end} ", font))
    draw.text((left, top), f"-{end}", "black", font)
    page.paste(Image.fromarray(bar), (start, top + 4))
    draw.text((start + width + 6, top), f"+{end} points of {name}", "black", font)
    side = len(explanation.pixels)
    lines = [
        _CHEST_KEY if is_of_chest else _VIEW_KEY,
        f"change when {explanation.square} x {explanation.square} of {side} x {side} are covered",
    ]
    for number, line in enumerate(lines, start=1):
        draw.text((left, top + number * _LINE), line, "black", font)


def _png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    return stream.getvalue()
