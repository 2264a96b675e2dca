"""Modify a radiograph as in the paper's Fig 6: marker, rotation, obscured half, cropping.

Except for rotation by 2 and by 90 degrees, none of these is among the 106 variants that a
candidate is trained on. All are deterministic and take squashed pictures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cxrview.dataset.augment.poses import rotate
from cxrview.image import squash
from cxrview.records.evaluation import Box
from cxrview.records.pixels import grey_picture
from cxrview.records.scores import PROGENITOR_NAME

Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Takes a square picture, shape (side, side), uint8, and returns a modified copy."""

BLACK, WHITE = 0, 255
MARGIN_PERCENT = 4.0
"""Distance between a marker and the edges of the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """White letters, burned in like the lead letters of a radiographer."""

    text: str
    height_percent: float
    """Height of a capital letter, in percent of the rows of the picture."""
    corner: str
    """One of the names in CORNERS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modification:
    """One row of the robustness table."""

    kind: str
    severity: str
    title: str
    """Title in a figure."""
    make: Change
    turned_degrees: float = 0
    """How far an upright picture is turned by it, clockwise."""
    is_mirrored: bool = False
    is_inverted: bool = False

    @property
    def quarter_turns(self) -> int | None:
        """The nearest quarter turn, 0 to 3 clockwise; None where two are equally near."""
        quarters = round(self.turned_degrees / 90)
        is_nearest = abs(self.turned_degrees - 90 * quarters) < 45
        return quarters % 4 if is_nearest else None

    @property
    def name(self) -> str:
        """`rotation/10`; `progenitor` for the unmodified image, as in every table of scores."""
        return f"{self.kind}/{self.severity}" if self.severity else PROGENITOR_NAME


CORNERS: Mapping[str, tuple[int, int]] = {
    "top-left": (0, 0),
    "top-right": (0, 1),
    "bottom-left": (1, 0),
    "bottom-right": (1, 1),
}
"""Position from the upper left: share of the free rows and of the free columns."""

DESTINATIONS: Mapping[str, Callable[[Box], Box]] = {
    "to-other-side": lambda box: replace(box, column=100 - box.column - box.columns),
    "to-middle": lambda box: replace(box, row=50 - box.rows / 2, column=50 - box.columns / 2),
}
"""Destinations of a marker that is moved."""

HALVES: Mapping[str, Box] = {
    "left": Box(row=0, column=0, rows=100, columns=50),
    "right": Box(row=0, column=50, rows=100, columns=50),
    "upper": Box(row=0, column=0, rows=50, columns=100),
    "lower": Box(row=50, column=0, rows=50, columns=100),
}
"""The obscured half, as the picture is displayed."""

CROPS: Mapping[str, Box] = {
    "central-90": Box(row=5, column=5, rows=90, columns=90),
    "central-80": Box(row=10, column=10, rows=80, columns=80),
    "central-70": Box(row=15, column=15, rows=70, columns=70),
    "central-50": Box(row=25, column=25, rows=50, columns=50),
    "upper-left-70": Box(row=0, column=0, rows=70, columns=70),
    "lower-right-70": Box(row=30, column=30, rows=70, columns=70),
}
"""The kept part; `70` is percent of the rows and of the columns."""

ROTATIONS_DEGREES = (2, 5, 10, 15, 20, 45, 90, 180)
"""Degrees clockwise, as the picture is displayed."""

MARKERS: Mapping[str, Marker] = {
    "L-5-top-right": Marker(text="L", height_percent=5, corner="top-right"),
    "R-10-top-left": Marker(text="R", height_percent=10, corner="top-left"),
    "L-20-bottom-right": Marker(text="L", height_percent=20, corner="bottom-right"),
    "AP-10-bottom-left": Marker(text="AP", height_percent=10, corner="bottom-left"),
}
"""Letters, their height in percent, and the corner."""


def add_marker(pixels: NDArray[np.uint8], marker: Marker) -> NDArray[np.uint8]:
    """Draw letters into a picture, shape (rows, columns), uint8.

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    import cv2

    pixels = grey_picture(pixels)
    scale, thickness = _font(marker, len(pixels))
    down, across = marker_box(marker, pixels.shape).slices(pixels.shape)
    modified = pixels.copy()
    at = (across.start + thickness, down.stop - thickness)
    cv2.putText(modified, marker.text, at, _FONT, scale, WHITE, thickness, cv2.LINE_AA)
    return modified


def marker_box(marker: Marker, shape: tuple[int, ...]) -> Box:
    """Return the box within which `add_marker` draws in a picture of that shape."""
    import cv2

    scale, thickness = _font(marker, shape[0])
    (columns, rows), _ = cv2.getTextSize(marker.text, _FONT, scale, thickness)
    rows, columns = rows + 2 * thickness, columns + 2 * thickness
    down, right = CORNERS[marker.corner]
    margin = round(MARGIN_PERCENT / 100 * shape[0])
    return Box(
        row=100 * (margin + down * (shape[0] - rows - 2 * margin)) / shape[0],
        column=100 * (margin + right * (shape[1] - columns - 2 * margin)) / shape[1],
        rows=100 * rows / shape[0],
        columns=100 * columns / shape[1],
    )


def move_marker(
    pixels: NDArray[np.uint8], box: Box, destination: str = "to-other-side"
) -> NDArray[np.uint8]:
    """Move the content of a box, and fill the box from its surroundings.

    Args:
        pixels: shape (rows, columns), uint8.
        box: around the marker.
        destination: one of the names in DESTINATIONS. The brighter of two pixels is kept there,
            since a lead letter only makes a radiograph brighter.

    Returns:
        The same shape; the hole is filled by the method of Telea (2004).

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    import cv2

    pixels = grey_picture(pixels)
    cut = pixels[box.slices(pixels.shape)].copy()
    hole = np.zeros_like(pixels)
    hole[box.slices(pixels.shape)] = 1
    modified: NDArray[np.uint8] = cv2.inpaint(np.ascontiguousarray(pixels), hole, 3, _TELEA)
    to, (rows, columns) = DESTINATIONS[destination](box), pixels.shape
    top = min(round(to.row / 100 * rows), rows - cut.shape[0])
    left = min(round(to.column / 100 * columns), columns - cut.shape[1])
    there = modified[top : top + len(cut), left : left + cut.shape[1]]
    np.maximum(there, cut, out=there)
    return modified


def blank(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Fill a box with black, around a marker or over half of the picture; (rows, columns) uint8.

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    modified = grey_picture(pixels).copy()
    modified[box.slices(pixels.shape)] = BLACK
    return modified


def crop(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """Keep the content of a box and squash it to the size of the picture.

    Args:
        pixels: shape (side, side), uint8.
        box: the part to keep.

    Returns:
        Shape (side, side), uint8, enlarged as `image.squash` enlarges every radiograph.

    Raises:
        ValueError: pixels of another type, range or shape.
    """
    pixels = grey_picture(pixels)
    return squash(pixels[box.slices(pixels.shape)], len(pixels))


def figure_modifications(box: Box | None = None) -> tuple[Modification, ...]:
    """Return the columns of the paper's Fig 6: unmodified, text label, rotation and so on.

    Args:
        box: around a marker in the picture, which is then moved and blanked; None adds a marker.
    """
    labels = [_named("marker-added/R-10-top-left")] if box is None else _labels_in(box)
    return (
        UNMODIFIED,
        *labels,
        _named("rotation/20"),
        _named("obscured/left"),
        _named("cropped/central-70"),
    )


def _font(marker: Marker, rows: int) -> tuple[float, int]:
    """Return the font scale for OpenCV, and the thickness of the strokes in pixels."""
    import cv2

    height = marker.height_percent / 100 * rows
    thickness = max(1, round(height / 8))
    return cv2.getFontScaleFromHeight(_FONT, round(height), thickness), thickness


def _moved(marker: Marker, destination: str, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    box = marker_box(marker, pixels.shape)
    return move_marker(add_marker(pixels, marker), box, destination)


def _blanked(marker: Marker, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return blank(pixels, marker_box(marker, pixels.shape))


def _labels_in(box: Box) -> list[Modification]:
    return [
        Modification(
            kind="marker-moved",
            severity="to-other-side",
            title="marker moved",
            make=partial(move_marker, box=box),
        ),
        Modification(
            kind="marker-blanked",
            severity="given-box",
            title="marker blanked",
            make=partial(blank, box=box),
        ),
    ]


def _named(name: str) -> Modification:
    return next(row for row in MODIFICATIONS if row.name == name)


# cv2.FONT_HERSHEY_SIMPLEX and cv2.INPAINT_TELEA, without loading OpenCV.
_FONT, _TELEA = 0, 1

UNMODIFIED = Modification(
    kind="unmodified", severity="", title="unmodified", make=lambda pixels: pixels
)

MODIFICATIONS: tuple[Modification, ...] = (
    UNMODIFIED,
    *(
        Modification(
            kind="marker-added",
            severity=severity,
            title=f"{marker.text} added",
            make=partial(add_marker, marker=marker),
        )
        for severity, marker in MARKERS.items()
    ),
    *(
        Modification(
            kind="marker-moved",
            severity=destination,
            title="marker moved",
            make=partial(_moved, MARKERS["R-10-top-left"], destination),
        )
        for destination in DESTINATIONS
    ),
    *(
        Modification(
            kind="marker-blanked",
            severity=severity,
            title="marker blanked",
            make=partial(_blanked, MARKERS[severity]),
        )
        for severity in ("R-10-top-left", "L-20-bottom-right")
    ),
    *(
        Modification(
            kind="rotation",
            severity=f"{degrees}",
            title=f"rotated by {degrees}°",
            make=partial(rotate, rotation_degrees=degrees),
            turned_degrees=degrees,
        )
        for degrees in ROTATIONS_DEGREES
    ),
    *(
        Modification(
            kind="obscured",
            severity=half,
            title=f"{half} half obscured",
            make=partial(blank, box=box),
        )
        for half, box in HALVES.items()
    ),
    *(
        Modification(
            kind="cropped",
            severity=severity,
            title=f"cropped to {box.rows:g} %",
            make=partial(crop, box=box),
        )
        for severity, box in CROPS.items()
    ),
)
"""The rows of the table, the unmodified image first. Ours: the paper shows four, without amounts.

The marker that is moved or blanked was added before, since the positions of the radiographs' own
markers are not known.
"""
