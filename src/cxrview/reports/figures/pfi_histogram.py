"""Fig 3: histogram of the PFI of frontal and of lateral test images.

Frontal images are above the line and lateral ones below it, since bars stacked on a logarithmic
axis would misrepresent the upper one.
"""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from cxrview.records.scores import Scores
from cxrview.reports.figures.style import (
    BLACK,
    FULL_WIDTH_MM,
    PALE,
    VIEW_COLOUR,
    VIEW_HATCH,
    describe_note,
    draw_note,
    in_print,
    new_figure,
    note_height,
    note_lines,
    with_pooled,
)
from cxrview.reports.format import format_count
from cxrview.terms import View

BINS = 100
"""Bins of 1 %. Both 99 % and 100 % are in the last bin."""

# Length of the step from 0 to 1 image, relative to that from 1 to 10.
_FIRST_STEP = 0.6


@in_print
def draw_pfi_histogram(sets: Mapping[str, Scores], *, cutoff: float, note: str = "") -> Figure:
    """Draw a panel for each set of images, and one for all of several.

    Args:
        sets: scores of the chosen model by name, such as `inside` and `external`; at least one,
            each with an image.
        cutoff: frontal where PFI is at least this; percent.
        note: printed above, such as how the run was scaled.

    Raises:
        ValueError: no set, or a set without an image.

    Source:
        Paper, Fig 3.
    """
    panels = with_pooled(sets)
    counts = {name: count_bins(scores) for name, scores in panels.items()}
    lines = note_lines(note, FULL_WIDTH_MM)
    figure = new_figure(
        FULL_WIDTH_MM,
        12 + 46 * len(panels) + note_height(lines),
        title="Probability of frontal of test images",
        description=describe_note(note) + _describe(panels, cutoff),
    )
    draw_note(figure, lines)
    axes = figure.subplots(len(panels), squeeze=False, sharex=True, sharey=True)[:, 0]
    most = max(int(bins.max()) for both in counts.values() for bins in both.values())
    for axis, (name, both) in zip(axes, counts.items(), strict=True):
        _draw_panel(axis, name, both, cutoff, most)
    axes[-1].set_xlabel("Probability of frontal (PFI), %, in bins of 1 %")
    figure.supylabel("Images (logarithmic above 1)", fontsize=8)
    return figure


def count_bins(scores: Scores) -> dict[View, NDArray[np.int64]]:
    """Count images of each view in each bin, shape (100,)."""
    number = np.minimum(scores.pfi.astype(int), BINS - 1)
    return {
        View.FRONTAL: np.bincount(number[scores.is_frontal], minlength=BINS),
        View.LATERAL: np.bincount(number[~scores.is_frontal], minlength=BINS),
    }


def _draw_panel(
    axis: Axes, name: str, both: Mapping[View, NDArray[np.int64]], cutoff: float, most: int
) -> None:
    axis.set_yscale("symlog", linthresh=1, linscale=_FIRST_STEP)
    for view, sign in ((View.FRONTAL, 1), (View.LATERAL, -1)):
        (filled,) = np.nonzero(both[view])
        axis.bar(
            filled,
            sign * both[view][filled],
            width=1,
            align="edge",
            color=VIEW_COLOUR[view],
            hatch=VIEW_HATCH[view],
            edgecolor=BLACK,
            linewidth=0.3,
            label=view.value,
        )
    axis.axhline(0, color=BLACK, linewidth=0.6)
    axis.axvline(cutoff, color=BLACK, linestyle=(0, (4, 2)), linewidth=0.9)
    axis.set_xlim(-0.5, 100.5)
    ticks = [10**k for k in range(len(str(most)))]
    axis.set_ylim(-3 * most, 3 * most)
    axis.yaxis.set_major_locator(FixedLocator([-t for t in reversed(ticks)] + [0, *ticks]))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_count(abs(int(value)))))
    axis.grid(axis="y", color=PALE, linewidth=0.4)
    axis.set_axisbelow(True)
    total = sum(int(bins.sum()) for bins in both.values())
    axis.set_title(f"{name}: {format_count(total, 'images')}")
    axis.set_title(f"dashed: cutoff {cutoff:.1f} %", loc="right", fontsize=8)
    for view, at, vertical in ((View.FRONTAL, 0.97, "top"), (View.LATERAL, 0.03, "bottom")):
        axis.text(
            0.5,
            at,
            f"{format_count(int(both[view].sum()))} {view.value}",
            transform=axis.transAxes,
            ha="center",
            va=vertical,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )


def _describe(panels: Mapping[str, Scores], cutoff: float) -> str:
    each = "; ".join(
        f"{name}: {format_count(int(s.is_frontal.sum()))} frontal, "
        f"{format_count(int((~s.is_frontal).sum()))} lateral"
        for name, s in panels.items()
    )
    return (
        f"Histogram in bins of 1 %, frontal images above the line, lateral ones below, on a "
        f"logarithmic axis, with the cutoff at {cutoff:.1f} %. {each}."
    )
