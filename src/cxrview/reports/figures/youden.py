"""Fig 5: Youden's J against the cutoff, with the range where it is largest."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cxrview.records.model_card import Cutoff
from cxrview.records.scores import Scores
from cxrview.reports.figures.style import (
    BLUE,
    FULL_WIDTH_MM,
    PALE,
    RED,
    describe_note,
    draw_note,
    in_print,
    new_figure,
    note_height,
    note_lines,
    with_pooled,
)
from cxrview.reports.format import format_count
from cxrview.stats import CUTOFFS, youden_curve, youden_cutoff

_CLOSE_FROM = 0.9
"""Highest start of the axis of the lower panels; good models differ only above it."""
_DASHED = (0, (4, 2))


@in_print
def draw_youden(sets: Mapping[str, Scores], *, note: str = "") -> Figure:
    """Draw J of each set of images, and of all of several.

    Below each curve is an enlarged part of it. For a set with one view J is undefined.

    Args:
        sets: scores of the chosen model by name, such as `inside` and `external`; at least one,
            each with an image.
        note: printed above, such as how the run was scaled.

    Raises:
        ValueError: no set, or a set without an image.

    Source:
        Paper, section 6 and Fig 5: steps of 0.1 %; it takes the higher end of the range.
    """
    panels = with_pooled(sets)
    best = {name: _best(scores) for name, scores in panels.items()}
    lines = note_lines(note, FULL_WIDTH_MM)
    figure = new_figure(
        FULL_WIDTH_MM,
        115 + note_height(lines),
        title="Youden's J against the cutoff",
        description=describe_note(note) + _describe(best),
    )
    draw_note(figure, lines)
    axes = figure.subplots(2, len(panels), squeeze=False, sharex=True, sharey="row")
    lowest = min((found.youden_j for found in best.values() if found), default=1.0)
    floor = min(_CLOSE_FROM, np.floor(20 * (lowest - 0.05)) / 20)
    for column, (name, scores) in enumerate(panels.items()):
        full, close = axes[:, column]
        images = format_count(len(scores), "images")
        full.set_title(f"{name}\n{images}\n{_format_best(best[name])}", fontsize=8)
        for axis in (full, close):
            _draw_panel(axis, scores, best[name])
        close.set_ylim(floor, 1 + 0.06 * (1 - floor))
        close.set_xlabel("Cutoff, % PFI")
    # Shared by the row; below 0 if a classifier is worse than chance.
    axes[0, 0].set_ylim(min(0, *(axis.dataLim.y0 for axis in axes[0])) - 0.01, 1.03)
    axes[0, 0].set_ylabel("Youden's J")
    axes[1, 0].set_ylabel(f"Youden's J, from {floor:.2f} only")
    _draw_legend(figure)
    return figure


def _best(scores: Scores) -> Cutoff | None:
    has_both = scores.is_frontal.any() and not scores.is_frontal.all()
    return youden_cutoff(scores.pfi, scores.is_frontal) if has_both else None


def _draw_panel(axis: Axes, scores: Scores, best: Cutoff | None) -> None:
    axis.set_xlim(-1, 101)
    axis.set_xticks([0, 25, 50, 75, 100])
    axis.grid(axis="y", color=PALE, linewidth=0.4)
    if best is None:
        return
    axis.axvspan(best.low, best.high, color=PALE, linewidth=0)
    axis.axvline(best.high, color=RED, linestyle=_DASHED, linewidth=0.9)
    axis.plot(CUTOFFS, youden_curve(scores.pfi, scores.is_frontal), color=BLUE)


def _format_best(best: Cutoff | None) -> str:
    if best is None:
        return "one view only:\nJ is undefined"
    return f"J = {best.youden_j:.4f}\nat {best.low:.1f} to {best.high:.1f} %"


def _draw_legend(figure: Figure) -> None:
    figure.legend(
        [
            Line2D([], [], color=BLUE),
            Patch(color=PALE),
            Line2D([], [], color=RED, linestyle=_DASHED, linewidth=0.9),
        ],
        ["Youden's J", "where it is largest", "higher end, the paper's cutoff"],
        loc="outside lower center",
        ncols=3,
    )


def _describe(best: Mapping[str, Cutoff | None]) -> str:
    each = "; ".join(
        f"{name}: J is largest, {found.youden_j:.4f}, from {found.low:.1f} to {found.high:.1f} %"
        if found
        else f"{name}: undefined, since it has only one view"
        for name, found in best.items()
    )
    return f"Lines of Youden's J at cutoffs from 0 to 100 % in steps of 0.1 %. {each}."
