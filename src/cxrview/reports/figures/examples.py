"""Fig 4: what the network says of some frontal and lateral test images."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxrview.reports.figures.note import describe_note
from cxrview.reports.figures.style import in_print
from cxrview.reports.figures.tiles import Band, Tile, draw_tiles
from cxrview.reports.format import write_pfi
from cxrview.terms import View


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
        f"{'frontal' if frontal else 'lateral'}, PFI {write_pfi(float(percent))}"
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
    return f"frontal {write_pfi(pfi)}\nlateral {write_pfi(100 - pfi)}"
