"""Calibration curve: the share of frontal images against the PFI. Ours, not the paper's."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from cxrview.records.evaluation import Assessment, ReliabilityBin
from cxrview.reports.figures.style import (
    BLUE,
    COLUMN_WIDTH_MM,
    GREY,
    PALE,
    describe_note,
    draw_note,
    in_print,
    new_figure,
    note_height,
    note_lines,
)
from cxrview.reports.format import format_count


@in_print
def draw_reliability(assessment: Assessment, *, name: str = "", note: str = "") -> Figure:
    """Draw the calibration curve with exact intervals, and the number of images of each bin.

    Args:
        assessment: with `reliability` and `calibration_error`.
        name: of the set of images.
        note: printed above, such as how the run was scaled.
    """
    images = format_count(assessment.table.total, "images")
    lines = note_lines(note, COLUMN_WIDTH_MM)
    figure = new_figure(
        COLUMN_WIDTH_MM,
        115 + note_height(lines),
        title="Calibration of the probability of frontal",
        description=describe_note(note) + _describe(assessment),
    )
    draw_note(figure, lines)
    curve, counts = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    error = f"expected calibration error:\n{assessment.calibration_error:.2f} percentage points"
    curve.set_title(
        f"{name + ': ' if name else ''}{images}\n{error}\ndashed: perfect calibration",
        fontsize=8,
    )
    _draw_curve(curve, assessment.reliability)
    _draw_counts(counts, assessment.reliability)
    return figure


def _draw_curve(axis: Axes, bins: Sequence[ReliabilityBin]) -> None:
    shares = np.array([one.percent_frontal for one in bins])
    low = 100 * np.array([one.interval.low for one in bins])
    high = 100 * np.array([one.interval.high for one in bins])
    axis.plot([0, 100], [0, 100], color=GREY, linestyle=(0, (4, 2)), linewidth=0.8)
    axis.errorbar(
        [one.mean_pfi for one in bins],
        shares,
        yerr=[np.maximum(shares - low, 0), np.maximum(high - shares, 0)],
        color=BLUE,
        marker="o",
        markersize=4,
        linestyle="-",
        linewidth=0.9,
        clip_on=False,
    )
    axis.set_xlim(-2, 102)
    axis.set_ylim(-2, 102)
    axis.set_ylabel("Frontal images, %, exact 95 % interval")
    axis.grid(color=PALE, linewidth=0.4)


def _draw_counts(axis: Axes, bins: Sequence[ReliabilityBin]) -> None:
    counts = [one.images for one in bins]
    middles = [(one.low + one.high) / 2 for one in bins]
    widths = [one.high - one.low for one in bins]
    axis.bar(middles, counts, width=widths, color=BLUE, edgecolor="white", linewidth=0.5)
    axis.set_yscale("log")
    # Vertical if a number is wider than its bar.
    is_wide = max(counts) >= 10_000 or min(widths) < 10
    axis.set_ylim(0.5, (300 if is_wide else 8) * max(counts))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_yticks([10**k for k in range(len(str(max(counts))))])
    axis.yaxis.set_minor_locator(NullLocator())
    for middle, count in zip(middles, counts, strict=True):
        axis.annotate(
            format_count(count),
            (middle, count),
            xytext=(0, 1.5),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            rotation=90 if is_wide else 0,
        )
    axis.set_ylabel("Images")
    axis.set_xlabel("Probability of frontal (PFI), %")


def _describe(assessment: Assessment) -> str:
    each = "; ".join(
        f"PFI {one.low:g} to {one.high:g} %: {one.percent_frontal:.1f} % of "
        f"{format_count(one.images, 'images')} frontal"
        for one in assessment.reliability
    )
    return f"{each}. Expected calibration error {assessment.calibration_error:.2f} points."
