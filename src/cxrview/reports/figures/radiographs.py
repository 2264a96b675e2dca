"""The images that a classifier called wrong, the surest errors first. Ours, not the paper's."""

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

MOST = 24


@in_print
def draw_gallery(
    pixels: NDArray[np.uint8],
    is_frontal: NDArray[np.bool_],
    pfi: NDArray[np.float64],
    captions: Sequence[str],
    *,
    most: int = MOST,
    note: str = "",
) -> Figure:
    """Draw the errors, or say that there is none.

    Args:
        pixels: shape (n, rows, columns), uint8: images called wrong, and no others.
        is_frontal: shape (n,), the truth about them.
        pfi: shape (n,), what was said, percent.
        captions: n, neutral ones such as a number and the source: never a file or a patient.
        most: of so many the pictures are shown; how many more there are is said.
        note: stands above, such as "drawn phantoms, no patient" and how the run was scaled, a
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
    # Frontal images called lateral are the more surely wrong the lower their PFI.
    sureness = np.where(is_frontal, 100 - pfi, pfi)
    order = np.argsort(-sureness, kind="stable")[:most]
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
        heading += f"; the {len(tiles)} surest errors are shown, {format_count(more)} more are not"
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
    said = "No error: every image was called what it is."
    lines = note_lines(note, FULL_WIDTH_MM)
    figure = new_figure(
        FULL_WIDTH_MM,
        20 + note_height(lines),
        title="Images called wrong",
        description=f"{describe_note(note)}{said}",
        layout=None,
    )
    figure.text(0.5, 0.5, "\n".join([*lines, said]), ha="center", va="center")
    return figure


@in_print
def draw_examples(
    pixels: NDArray[np.uint8],
    pfi: NDArray[np.float64],
    is_frontal: NDArray[np.bool_],
    *,
    note: str = "",
) -> Figure:
    """Draw frontal images above lateral ones, both probabilities under each.

    Args:
        pixels: shape (n, rows, columns), uint8.
        pfi: shape (n,), percent, 0 to 100.
        is_frontal: shape (n,), the truth.
        note: stands above, such as "drawn phantoms, no patient" and how the run was scaled, a
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
"""What was done; pixels, shape (rows, columns), uint8; PFI in percent, 0 to 100."""

_MOST_IN_A_ROW = 6


@in_print
def draw_modified(
    images: Sequence[Sequence[Modified]], *, headings: Sequence[str] = (), note: str = ""
) -> Figure:
    """Draw a band for each image: the original first, then what was made of it.

    Args:
        images: such as one frontal and one lateral; each with at least its original.
        headings: of the bands, such as `Frontal` and `Lateral`; none, or one for each image.
        note: stands above, such as "drawn phantoms, no patient" and how the run was scaled, a
            line each.

    Raises:
        ValueError: no image, an image without a picture, or headings for other than all images.

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
    """As few rows as can be, and those evenly filled; never so few that a picture is a page."""
    rows = -(-pictures // _MOST_IN_A_ROW)
    return max(3, -(-pictures // rows))
