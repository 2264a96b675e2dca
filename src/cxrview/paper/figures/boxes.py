"""Boxes and arrows on axes whose unit is the millimetre."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from cxrview.reports.figures.style import BLACK, LINE_MM, PALE


@dataclass(frozen=True, slots=True)
class Box:
    """Words in a frame; the lower left corner and the size in mm."""

    left: float
    bottom: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Half way across."""
        return self.left + self.width / 2

    @property
    def top(self) -> float:
        """Upper edge."""
        return self.bottom + self.height


def draw_box(
    axis: Axes,
    box: Box,
    heading: str,
    lines: list[str],
    *,
    dashed: bool = False,
    filled: bool = False,
) -> None:
    """A heading in bold, which may have several lines, and lines below it.

    A box without lines is a frame for other boxes: its heading stands at the top, unless filled.
    """
    axis.add_patch(
        FancyBboxPatch(
            (box.left, box.bottom),
            box.width,
            box.height,
            boxstyle="round,pad=0,rounding_size=1",
            facecolor=PALE if filled else "white",
            edgecolor=BLACK,
            linewidth=1.4 if filled else 0.6,
            linestyle="--" if dashed else "-",
        )
    )
    if not lines and not filled:
        axis.text(box.middle, box.top - 2, heading, ha="center", va="top", weight="bold")
        return
    rows = [*heading.split("\n"), *lines] if heading else lines
    bold = len(rows) - len(lines)
    for k, text in enumerate(rows):
        axis.text(
            box.middle,
            box.bottom + box.height / 2 + LINE_MM * ((len(rows) - 1) / 2 - k),
            text,
            ha="center",
            va="center",
            weight="bold" if k < bold else "normal",
        )


def draw_line(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one point to another."""
    axis.plot(*zip(start, end, strict=True), color=BLACK, linewidth=0.8, solid_capstyle="butt")


def draw_arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From one point to another, its head at the other."""
    axis.annotate(
        "",
        end,
        start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": BLACK,
            "linewidth": 0.8,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 7,
        },
    )
