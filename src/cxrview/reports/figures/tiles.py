"""Draws images in rows with text above and below each, for figures that show radiographs."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxrview.reports.figures.style import (
    FULL_WIDTH_MM,
    GREY,
    LINE_MM,
    axes_at,
    new_figure,
    note_height,
    note_lines,
)

_EDGE_MM, _GAP_MM, _LETTER_MM = 2.0, 3.0, 1.62
_HEADING_MM = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One image with its text."""

    pixels: NDArray[np.uint8]
    """Shape (rows, columns), uint8, any size; shown in a square, with its aspect ratio."""
    above: str = ""
    below: str = ""
    """Long lines are wrapped, but not between a number and its percent sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Images under a common heading."""

    heading: str
    tiles: Sequence[Tile]


def draw_tiles(
    bands: Sequence[Band], *, columns: int, title: str, description: str, note: str = ""
) -> Figure:
    """Draw bands one below the other, each in as many rows as it needs.

    Args:
        bands: those without a tile are left out.
        columns: images per row.
        title: as in `new_figure`.
        description: as in `new_figure`.
        note: printed above, such as that the radiographs are drawn phantoms.
    """
    side = (FULL_WIDTH_MM - 2 * _EDGE_MM - (columns - 1) * _GAP_MM) / columns
    letters = int(side / _LETTER_MM)
    notes = note_lines(note, FULL_WIDTH_MM)
    noted = note_height(notes) + (1.5 if notes else 0)
    rows = [
        (band.heading if start == 0 else "", [_fit(t, letters) for t in tiles])
        for band in bands
        for start in range(0, len(band.tiles), columns)
        if (tiles := band.tiles[start : start + columns])
    ]
    heights = [_height(heading, tiles, side) for heading, tiles in rows]
    total = sum(heights) + noted + 2 * _EDGE_MM
    figure = new_figure(FULL_WIDTH_MM, total, title=title, description=description, layout=None)
    top = total - _EDGE_MM
    _write(figure, _EDGE_MM, top, "\n".join(notes), total, color=GREY)
    top -= noted
    for (heading, tiles), height in zip(rows, heights, strict=True):
        _draw_row(figure, heading, tiles, side, top, total)
        top -= height
    return figure


def _fit(tile: Tile, letters: int) -> Tile:
    above, below = (
        "\n".join(
            part
            for line in text.split("\n")
            for part in wrap(line.replace(" %", "\N{NO-BREAK SPACE}%"), letters)
        )
        for text in (tile.above, tile.below)
    )
    return Tile(pixels=tile.pixels, above=above, below=below)


def _lines(texts: Sequence[str]) -> int:
    return max(text.count("\n") + 1 if text else 0 for text in texts)


def _height(heading: str, tiles: Sequence[Tile], side: float) -> float:
    lines = _lines([t.above for t in tiles]) + _lines([t.below for t in tiles])
    return side + LINE_MM * lines + _HEADING_MM * bool(heading) + 2 * _GAP_MM


def _draw_row(
    figure: Figure, heading: str, tiles: Sequence[Tile], side: float, top: float, total: float
) -> None:
    if heading:
        _write(figure, _EDGE_MM, top, heading, total, weight="bold")
        top -= _HEADING_MM
    bottom = top - LINE_MM * _lines([t.above for t in tiles]) - 1 - side
    for k, tile in enumerate(tiles):
        left = _EDGE_MM + k * (side + _GAP_MM)
        axis = axes_at(figure, left, bottom, side, side)
        axis.imshow(tile.pixels, cmap="gray", vmin=0, vmax=255)
        # A frame, since a white edge would be invisible on white paper.
        axis.set(xticks=[], yticks=[])
        axis.spines[:].set(visible=True, color=GREY, linewidth=0.4)
        _write(figure, left, bottom + side + 1, tile.above, total, va="bottom")
        _write(figure, left, bottom - 1, tile.below, total)


def _write(
    figure: Figure,
    left: float,
    at: float,
    text: str,
    total: float,
    *,
    va: str = "top",
    weight: str = "normal",
    color: str = "black",
) -> None:
    figure.text(left / FULL_WIDTH_MM, at / total, text, va=va, weight=weight, color=color)
