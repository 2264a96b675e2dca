"""Figures that show radiographs: errors (ours), examples (Fig 4) and modified images (Fig 6)."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxrview.reports.figures.style import (
    FULL_WIDTH_MM,
    describe_note,
    in_print,
    new_figure,
    note_height,
    note_lines,
)
from cxrview.reports.figures.tiles import Band, Tile, draw_tiles
from cxrview.reports.format import format_count, format_pfi
from cxrview.terms import View
from cxrview.wording import plural

MAX_IMAGES = 24


@in_print
def draw_gallery(
    pixels: NDArray[np.uint8],
    is_frontal: NDArray[np.bool_],
    pfi: NDArray[np.float64],
    captions: Sequence[str],
    *,
    most: int = MAX_IMAGES,
    note: str = "",
) -> Figure:
    """Draw the images that a classifier called wrong, or a note that there are none.

    Args:
        pixels: shape (n, rows, columns), uint8: the wrong images only.
        is_frontal: shape (n,), the truth.
        pfi: shape (n,), percent.
        captions: n captions such as a number and the source, never a file or a patient.
        most: number of images that are shown; the heading says how many more there are.
        note: printed above, such as "drawn phantoms, no patient" and how the run was scaled, one
            line each.

    Raises:
        ValueError: arrays of different lengths.
    """
    if not len(pixels) == len(is_frontal) == len(pfi) == len(captions):
        raise ValueError(
            f"{plural(len(pixels), 'image has', 'images have')} {plural(len(captions), 'caption')}"
        )
    if not len(pixels):
        return _draw_none(note)
    # Frontal images are the more confidently wrong the lower their PFI is.
    confidence = np.where(is_frontal, 100 - pfi, pfi)
    order = np.argsort(-confidence, kind="stable")[:most]
    tiles = [
        Tile(
            pixels=pixels[k],
            above=captions[k],
            below=_write_truth(bool(is_frontal[k]), float(pfi[k])),
        )
        for k in order
    ]
    more = len(pixels) - len(tiles)
    heading = format_count(len(pixels), "images") + " called wrong"
    if more:
        heading += (
            f"; the {len(tiles)} most confident errors are shown, {format_count(more)} more are not"
        )
    return draw_tiles(
        [Band(heading=heading, tiles=tiles)],
        columns=max(4, min(6, len(tiles))),
        title="Images called wrong",
        description=f"{describe_note(note)}{heading}.",
        note=note,
    )


def _write_truth(is_frontal: bool, pfi: float) -> str:
    return f"is {'frontal' if is_frontal else 'lateral'},\nPFI {format_pfi(pfi)}"


def _draw_none(note: str) -> Figure:
    text = "No errors: the view of every image is correct."
    lines = note_lines(note, FULL_WIDTH_MM)
    figure = new_figure(
        FULL_WIDTH_MM,
        20 + note_height(lines),
        title="Images called wrong",
        description=f"{describe_note(note)}{text}",
        layout=None,
    )
    figure.text(0.5, 0.5, "\n".join([*lines, text]), ha="center", va="center")
    return figure


@in_print
def draw_examples(
    pixels: NDArray[np.uint8],
    pfi: NDArray[np.float64],
    is_frontal: NDArray[np.bool_],
    *,
    note: str = "",
) -> Figure:
    """Draw frontal images above lateral ones, with both probabilities below each image.

    Args:
        pixels: shape (n, rows, columns), uint8.
        pfi: shape (n,), percent, 0 to 100.
        is_frontal: shape (n,), the truth.
        note: printed above, such as "drawn phantoms, no patient" and how the run was scaled, one
            line each.

    Raises:
        ValueError: no image, or arrays of different lengths.

    Source:
        Paper, Fig 4.
    """
    if not len(pixels):
        raise ValueError("a figure of examples needs at least one image")
    shown = [
        (frontal, Tile(pixels=picture, below=_write_both(percent)))
        for picture, percent, frontal in zip(pixels, pfi, is_frontal, strict=True)
    ]
    bands = [
        Band(
            heading=view.value.capitalize(),
            tiles=[tile for frontal, tile in shown if frontal == (view is View.FRONTAL)],
        )
        for view in View
    ]
    said = "; ".join(
        f"{'frontal' if frontal else 'lateral'}, PFI {format_pfi(float(percent))}"
        for frontal, percent in zip(is_frontal, pfi, strict=True)
    )
    return draw_tiles(
        bands,
        columns=4,
        title="Example test images with both probabilities",
        description=f"{describe_note(note)}Radiographs: {said}.",
        note=note,
    )


def _write_both(pfi: float) -> str:
    return f"frontal {format_pfi(pfi)}\nlateral {format_pfi(100 - pfi)}"


Modified = tuple[str, NDArray[np.uint8], float]
"""Modification; pixels, shape (rows, columns), uint8; PFI in percent, 0 to 100."""

_MAX_IN_A_ROW = 6


@in_print
def draw_modified(
    images: Sequence[Sequence[Modified]], *, headings: Sequence[str] = (), note: str = ""
) -> Figure:
    """Draw a band for each image: the original first, then its modifications.

    Args:
        images: such as one frontal and one lateral image, each with at least its original.
        headings: of the bands, such as `Frontal` and `Lateral`; none, or one per image.
        note: printed above, such as "drawn phantoms, no patient" and how the run was scaled, one
            line each.

    Raises:
        ValueError: no image, an image without a picture, or a wrong number of headings.

    Source:
        Paper, Fig 6.
    """
    if not images or not all(images):
        raise ValueError("a figure of modifications needs at least one picture of each image")
    names = headings or [""] * len(images)
    bands = [
        Band(
            heading=heading,
            tiles=[
                Tile(pixels=pixels, above=title, below=f"frontal {format_pfi(pfi)}")
                for title, pixels, pfi in image
            ],
        )
        for heading, image in zip(names, images, strict=True)
    ]
    said = ". ".join(
        f"{heading or f'Image {number}'}: "
        + "; ".join(f"{title}, PFI {format_pfi(pfi)}" for title, _, pfi in image)
        for number, (heading, image) in enumerate(zip(names, images, strict=True), start=1)
    )
    return draw_tiles(
        bands,
        columns=_columns(max(len(image) for image in images)),
        title="Radiographs and modifications of them, with the probability of frontal",
        description=f"{describe_note(note)}{said}.",
        note=note,
    )


def _columns(pictures: int) -> int:
    """Choose the number of columns: few rows, evenly filled, and at least three columns."""
    rows = -(-pictures // _MAX_IN_A_ROW)
    return max(3, -(-pictures // rows))
