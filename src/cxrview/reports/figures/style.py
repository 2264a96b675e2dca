"""Style of all figures, notes above them, and saving them as files.

Figures are drawn on a new `Figure` and never through pyplot, so that there is no global state and
they can be drawn in any thread or process. Colours are those of Okabe and Ito, which colour-blind
readers can distinguish, and each meaning is also shown by a hatch, a marker or a word.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal, ParamSpec

import matplotlib
import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxrview.atomic_files import write_atomic
from cxrview.records.scores import Scores, join_scores
from cxrview.terms import View

FULL_WIDTH_MM = 180.0
"""Two columns of a journal page."""
COLUMN_WIDTH_MM = 85.0
"""One column."""
DPI = 200
LINE_MM = 3.6
"""Distance between two lines of text."""

BLACK, GREY, PALE = "#000000", "#595959", "#d9d9d9"
ORANGE, GREEN, BLUE, RED = "#E69F00", "#009E73", "#0072B2", "#D55E00"

VIEW_COLOUR = {View.FRONTAL: BLUE, View.LATERAL: ORANGE}
"""The same in every figure."""
VIEW_HATCH = {View.FRONTAL: "", View.LATERAL: "//////"}

_PRINT = {
    "figure.dpi": DPI,
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "hatch.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "errorbar.capsize": 2,
    # With hinting, small bold letters look as if they had serifs.
    "text.hinting": "no_hinting",
    # Text as outlines looks the same without the font.
    "svg.fonttype": "path",
}
# matplotlib's defaults come first, so that a user's matplotlibrc does not change a figure.
_STYLE: list[str | dict[str, Any]] = ["default", _PRINT]

Drawing = ParamSpec("Drawing")

PHANTOM_NOTE = "drawn phantoms, no patient"
"""Note above figures that show phantoms."""


def in_print(draw: Callable[Drawing, Figure]) -> Callable[Drawing, Figure]:
    """Decorate a function so that it draws in the style of this module, whatever its caller set."""

    @wraps(draw)
    def drawn(*args: Drawing.args, **kwargs: Drawing.kwargs) -> Figure:
        with matplotlib.style.context(_STYLE):
            return draw(*args, **kwargs)

    return drawn


def new_figure(
    width_mm: float,
    height_mm: float,
    *,
    title: str,
    description: str,
    layout: Literal["constrained"] | None = "constrained",
) -> Figure:
    """Create an empty figure of a size in print.

    Args:
        width_mm: `FULL_WIDTH_MM` or `COLUMN_WIDTH_MM`.
        height_mm: above 0.
        title: one line, stored as metadata and not drawn.
        description: alternative text.
        layout: `constrained` places axes so that labels fit; None leaves it to the caller.
    """
    figure = Figure(figsize=(width_mm / 25.4, height_mm / 25.4), layout=layout)
    figure.set_label(f"{title}\n{description}")
    return figure


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes at a place in mm from the lower left corner, for layout None."""
    across, up = 25.4 * figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def alt_text(figure: Figure) -> tuple[str, str]:
    """Give title and description of a figure of `new_figure`."""
    title, _, description = str(figure.get_label()).partition("\n")
    return title, description


def save_figure(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write NAME.png (200 dpi) and NAME.svg, each atomically.

    The same figure gives the same bytes with the same version of matplotlib.

    Args:
        figure: drawn by a function of this package.
        folder: created if missing; existing files of that name are replaced.
        name: without an ending.

    Returns:
        Paths of the PNG and the SVG.

    Raises:
        CannotWrite: the disk is full or not writable.
    """
    title, description = alt_text(figure)
    metadata = {
        "png": {"Title": title, "Description": description, "Software": None},
        "svg": {"Title": title, "Description": description, "Date": None, "Creator": None},
    }
    paths = folder / f"{name}.png", folder / f"{name}.svg"
    for path, (kind, about) in zip(paths, metadata.items(), strict=True):
        picture = BytesIO()
        # Ticks are made while saving, so the style is needed here too. The salt fixes the ids in
        # an SVG, which are random by default.
        with (
            matplotlib.style.context(_STYLE),
            matplotlib.rc_context({"svg.hashsalt": f"cxrview {name}"}),
        ):
            figure.savefig(picture, format=kind, dpi=DPI, metadata=about)
        write_atomic(path, picture.getvalue())
    return paths


_LETTER_MM = 1.6
"""Average width of a letter of a note, with a margin."""


def join_notes(*notes: str) -> str:
    """Join notes, one per line, without empty ones."""
    return "\n".join(note for note in notes if note)


def note_lines(note: str, width_mm: float) -> list[str]:
    """Wrap a note to the width of a figure; an empty note has no lines."""
    letters = int(width_mm / _LETTER_MM)
    return [part for line in note.split("\n") for part in wrap(line, letters)]


def note_height(lines: list[str]) -> float:
    """Height of the lines of a note, in mm."""
    return LINE_MM * len(lines)


def draw_note(figure: Figure, lines: list[str]) -> None:
    """Draw the lines of a note at the top of a figure with constrained layout."""
    if lines:
        figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=8, color=GREY)


def describe_note(note: str) -> str:
    """Give a note as sentences, to be put before a figure's description."""
    return "".join(f"{line.rstrip('.')}. " for line in note.split("\n") if line)


TOGETHER = "all together"


def with_pooled(sets: Mapping[str, Scores]) -> dict[str, Scores]:
    """Give the sets, and of several sets also their union under the name TOGETHER.

    Args:
        sets: scores of one classifier by name; at least one, each with an image.

    Raises:
        ValueError: no set, or a set without an image.
    """
    if not sets or not all(len(scores) for scores in sets.values()):
        raise ValueError("a figure of test images needs at least one set, each with an image")
    if len(sets) == 1:
        return dict(sets)
    each = list(sets.values())
    return {**sets, TOGETHER: join_scores(each, each[0].classifier)}
