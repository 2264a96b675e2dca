"""How figures look in print, and the one way in which they become files.

A figure is drawn on a `Figure` of its own and never through pyplot, so that nothing global holds
it and it can be drawn in any thread or process. Colours are Okabe and Ito's, which colour-blind
readers tell apart, and none carries a meaning that a hatch, a marker or a word does not carry too.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any, Literal, ParamSpec

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cxrview.atomic_files import write_atomic
from cxrview.records import Scores
from cxrview.terms import View

FULL_WIDTH_MM = 180.0
"""Two columns of a journal's page."""
COLUMN_WIDTH_MM = 85.0
"""One column."""
DPI = 200
LINE_MM = 3.6
"""From one line of letters to the next."""

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
    # Hinted, small bold letters look as if they had serifs.
    "text.hinting": "no_hinting",
    # Letters as outlines look the same where the font is missing.
    "svg.fonttype": "path",
}
# matplotlib's own defaults come first: a reader's matplotlibrc must not change a figure.
_STYLE: list[str | dict[str, Any]] = ["default", _PRINT]

Drawing = ParamSpec("Drawing")

PHANTOM_NOTE = "drawn phantoms, no patient"
"""Above figures that show some."""


def in_print(draw: Callable[Drawing, Figure]) -> Callable[Drawing, Figure]:
    """Let a function draw in the style of this module, whatever settings its caller has."""

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
    """An empty figure of a size in print.

    Args:
        width_mm: `FULL_WIDTH_MM` or `COLUMN_WIDTH_MM`.
        height_mm: above 0.
        title: what it is, in one line; stands beside the picture, not in it.
        description: what is to be seen, for those who can't.
        layout: `constrained` places axes so that labels fit; None leaves it to the caller.
    """
    figure = Figure(figsize=(width_mm / 25.4, height_mm / 25.4), layout=layout)
    figure.set_label(f"{title}\n{description}")
    return figure


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in mm from the figure's lower left corner, for layout None."""
    across, up = 25.4 * figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up))


def alt_text(figure: Figure) -> tuple[str, str]:
    """Title and description that `new_figure` was given."""
    title, _, description = str(figure.get_label()).partition("\n")
    return title, description


def save_figure(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write NAME.png (200 dpi) and NAME.svg, each whole or not at all.

    The same figure gives the same bytes with the same version of matplotlib: no date is in them.

    Args:
        figure: drawn by a function of this package.
        folder: is made where it is missing; files of that name in it are replaced.
        name: without an ending.

    Returns:
        Where the PNG and the SVG are.

    Raises:
        CannotWrite: the disk took no more.
    """
    title, description = alt_text(figure)
    metadata = {
        "png": {"Title": title, "Description": description, "Software": None},
        "svg": {"Title": title, "Description": description, "Date": None, "Creator": None},
    }
    paths = folder / f"{name}.png", folder / f"{name}.svg"
    for path, (kind, about) in zip(paths, metadata.items(), strict=True):
        picture = BytesIO()
        # Ticks are made when drawn, so the style must hold here too. The salt makes the names
        # of an SVG's parts; by default they are random.
        with (
            matplotlib.style.context(_STYLE),
            matplotlib.rc_context({"svg.hashsalt": f"cxrview {name}"}),
        ):
            figure.savefig(picture, format=kind, dpi=DPI, metadata=about)
        write_atomic(path, picture.getvalue())
    return paths


_LETTER_MM = 1.6
"""Of a line of small letters, on average and with some room."""


def join_notes(*notes: str) -> str:
    """Several notes as one, each on a line of its own; empty ones are left out."""
    return "\n".join(note for note in notes if note)


def note_lines(note: str, width_mm: float) -> list[str]:
    """The lines that a note takes above a figure of a width; none of an empty one."""
    letters = int(width_mm / _LETTER_MM)
    return [part for line in note.split("\n") for part in wrap(line, letters)]


def note_height(lines: list[str]) -> float:
    """What they add to a figure's height, in mm."""
    return LINE_MM * len(lines)


def draw_note(figure: Figure, lines: list[str]) -> None:
    """Write them at the top of a figure whose layout is constrained, which makes room for them."""
    if lines:
        figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=8, color=GREY)


def describe_note(note: str) -> str:
    """The note as sentences before a description for those who can't see the figure."""
    return "".join(f"{line.rstrip('.')}. " for line in note.split("\n") if line)


TOGETHER = "all together"


def with_pooled(sets: Mapping[str, Scores]) -> dict[str, Scores]:
    """The sets, and behind several of them their union under the name TOGETHER.

    Args:
        sets: name to what one classifier says of the images; at least one, each with an image.

    Raises:
        ValueError: no set, or a set without an image.
    """
    if not sets or not all(len(scores) for scores in sets.values()):
        raise ValueError("a figure of test images needs at least one set, each with an image")
    if len(sets) == 1:
        return dict(sets)
    each = list(sets.values())
    union = Scores(
        classifier=each[0].classifier,
        files=np.concatenate([scores.files for scores in each]),
        patients=np.concatenate([scores.patients for scores in each]),
        variants=np.concatenate([scores.variants for scores in each]),
        is_frontal=np.concatenate([scores.is_frontal for scores in each]),
        pfi=np.concatenate([scores.pfi for scores in each]),
    )
    return {**sets, TOGETHER: union}
