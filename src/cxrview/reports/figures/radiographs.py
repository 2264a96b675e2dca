"""The images that a classifier called wrong, the surest errors first. Ours, not the paper's."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxrview.reports.figures.note import describe_note, note_height, note_lines
from cxrview.reports.figures.style import FULL_WIDTH_MM, in_print, new_figure
from cxrview.reports.figures.tiles import Band, Tile, draw_tiles
from cxrview.reports.format import write_count, write_pfi
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
    heading = write_count(len(pixels), "images") + " called wrong"
    if more:
        heading += f"; the {len(tiles)} surest errors are shown, {write_count(more)} more are not"
    return draw_tiles(
        [Band(heading=heading, tiles=tiles)],
        columns=max(4, min(6, len(tiles))),
        title="Images called wrong",
        description=f"{describe_note(note)}{heading}.",
        note=note,
    )


def _write_truth(is_frontal: bool, pfi: float) -> str:
    return f"is {'frontal' if is_frontal else 'lateral'},\nPFI {write_pfi(pfi)}"


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
