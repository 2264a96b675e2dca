"""Fig 6: what the network says of images before and after somebody has modified them."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cxrview.reports.figures.note import describe_note
from cxrview.reports.figures.style import in_print
from cxrview.reports.figures.tiles import Band, Tile, draw_tiles
from cxrview.reports.format import write_pfi

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
                Tile(pixels=pixels, above=title, below=f"frontal {write_pfi(pfi)}")
                for title, pixels, pfi in image
            ],
        )
        for heading, image in zip(names, images, strict=True)
    ]
    said = ". ".join(
        f"{heading or f'Image {number}'}: "
        + "; ".join(f"{title}, PFI {write_pfi(pfi)}" for title, _, pfi in image)
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
