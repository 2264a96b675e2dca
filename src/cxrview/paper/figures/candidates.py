"""Fig 2: validation accuracy of the nine candidates, and the paper's five comparisons.

It has points and not bars, since a bar must start at 0 and this axis does not.
"""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from cxrview.paper.candidates import CANDIDATES, FINE_TUNINGS, PRE_TRAININGS, Candidate
from cxrview.paper.compare import ComparisonResult
from cxrview.records.scores import Scores
from cxrview.reports.figures.style import (
    BLACK,
    BLUE,
    FULL_WIDTH_MM,
    GREEN,
    GREY,
    PALE,
    RED,
    axes_at,
    describe_note,
    in_print,
    new_figure,
    note_height,
    note_lines,
)
from cxrview.reports.format import format_p, format_share
from cxrview.stats import exact_interval

_COLOURS = dict(zip(FINE_TUNINGS, (RED, GREEN, BLUE), strict=True))
_MARKERS = dict(zip(FINE_TUNINGS, ("^", "s", "o"), strict=True))
_ASIDE = 0.13
"""Distance of a candidate's two points from its place."""
_COLUMNS_MM = (3.0, 55.0, 152.0)
"""Left edges of the text columns of the comparisons; the differences are drawn between them."""
_DIFFERENCE = "Difference on the\nsame original images"
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


@in_print
def draw_candidates(
    validated: Mapping[Candidate, Scores],
    compared: Sequence[ComparisonResult],
    *,
    chosen: Candidate,
    note: str = "",
) -> Figure:
    """Draw all candidates with exact intervals above, the comparisons below.

    Args:
        validated: scores of all nine candidates.
        compared: of `compare_candidates`.
        chosen: is marked.
        note: printed above, such as how the run was scaled.

    Raises:
        ValueError: a candidate is missing.

    Source:
        Paper, section 5 and Fig 2. Ours: open markers for the same original images of all
        candidates, and a bootstrap interval over patients of each difference.
    """
    missing = [c.name for c in CANDIDATES if c not in validated]
    if missing:
        raise ValueError(f"no validation of {', '.join(missing)}")
    lines = note_lines(note, FULL_WIDTH_MM)
    figure = new_figure(
        FULL_WIDTH_MM,
        180 + note_height(lines),
        title="Validation accuracy of the nine candidates",
        description=describe_note(note) + _describe(validated, compared, chosen),
        layout=None,
    )
    figure.text(0.01, 0.995, "\n".join(lines), va="top", color=GREY)
    _draw_accuracies(axes_at(figure, 20, 98, 157, 72), validated, chosen)
    _draw_comparisons(figure, axes_at(figure, 103, 14, 45, 48), compared)
    return figure


def _draw_accuracies(axis: Axes, validated: Mapping[Candidate, Scores], chosen: Candidate) -> None:
    places = {candidate: k + 0.5 * (k // 3) for k, candidate in enumerate(CANDIDATES)}
    start = _axis_start(validated)
    for candidate, place in places.items():
        scores = validated[candidate]
        progenitors = scores.where(scores.is_progenitor)
        _draw_point(axis, place - _ASIDE, candidate, scores, is_open=False)
        _draw_point(axis, place + _ASIDE, candidate, progenitors, is_open=True)
        axis.annotate(
            format_share(scores.accuracy).removesuffix(" %"),
            (place, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontweight="bold" if candidate == chosen else "normal",
        )
    axis.axvspan(places[chosen] - 0.45, places[chosen] + 0.45, color=PALE, alpha=0.6, linewidth=0)
    axis.set_xlim(-0.5, 9.5)
    axis.set_ylim(start, 100 + 0.02 * (100 - start))
    axis.set_xticks(list(places.values()), [_in_lines(c.fine_tuning) for c in places], fontsize=7)
    for k, name in enumerate(PRE_TRAININGS):
        axis.annotate(
            f"pre-trained: {name}",
            (3.5 * k + 1, 0),
            xycoords=("data", "axes fraction"),
            xytext=(0, -36),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    axis.grid(axis="y", color=PALE, linewidth=0.4)
    warning = f"\n(axis starts at {start:g}, not at 0)" if start else ""
    axis.set_ylabel(f"Validation accuracy, %{warning}")
    _draw_legend(axis)


def _draw_point(
    axis: Axes, place: float, candidate: Candidate, scores: Scores, *, is_open: bool
) -> None:
    right, total = int(scores.is_right.sum()), len(scores)
    interval, accuracy = exact_interval(right, total), 100 * right / total
    colour = _COLOURS[candidate.fine_tuning]
    axis.errorbar(
        place,
        accuracy,
        yerr=[[accuracy - 100 * interval.low], [100 * interval.high - accuracy]],
        color=colour,
        marker=_MARKERS[candidate.fine_tuning],
        markerfacecolor="white" if is_open else colour,
        markersize=5,
        linewidth=0.9,
        clip_on=False,
    )


def _axis_start(validated: Mapping[Candidate, Scores]) -> float:
    """Choose the start of the axis, percent: a round number just below the lowest interval."""
    parts = [
        s for scores in validated.values() for s in (scores, scores.where(scores.is_progenitor))
    ]
    lowest = min(100 * exact_interval(int(s.is_right.sum()), len(s)).low for s in parts)
    step = next((step for step in _STEPS if step >= (100 - lowest) / 10), _STEPS[-1])
    return max(0.0, round(floor(lowest / step) * step, 1))


def _draw_legend(axis: Axes) -> None:
    drawn: dict[str, Any] = {"color": BLACK, "marker": "o", "markersize": 5, "linewidth": 0.9}
    axis.legend(
        [
            Line2D([], [], **drawn),
            Line2D([], [], markerfacecolor="white", **drawn),
            Patch(color=PALE, alpha=0.6),
        ],
        [
            "its own validation images (paper), printed above",
            "original images alone (ours)",
            "chosen",
        ],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        ncols=3,
        title="Accuracy with exact 95 % interval",
        title_fontsize=8,
    )


def _draw_comparisons(figure: Figure, axis: Axes, compared: Sequence[ComparisonResult]) -> None:
    rows = np.arange(len(compared))[::-1]
    beside = blended_transform_factory(figure.transFigure, axis.transData)
    for row, one in zip(rows, compared, strict=True):
        difference = 100 * one.difference_on_progenitors
        low, high = 100 * one.interval.low, 100 * one.interval.high
        axis.plot([low, high], [row, row], color=BLACK, linewidth=0.9)
        axis.plot(difference, row, marker="D", color=BLACK, markersize=4, linestyle="none")
        name = one.comparison.name.replace(" against ", "\nagainst ")
        said = f"{_percent(one.first)} against {_percent(one.second)}"
        cells = (name, f"{said}\n{format_chi_squared(one)}", _format_paper(one))
        for at, text in zip(_COLUMNS_MM, cells, strict=True):
            axis.text(at / FULL_WIDTH_MM, row, text, transform=beside, va="center")
    heads = ("Candidates pooled", "Accuracy, %,\nand chi-squared test", "Paper, %")
    for at, text in zip(_COLUMNS_MM, heads, strict=True):
        axis.text(at / FULL_WIDTH_MM, len(rows), text, transform=beside, va="center", weight="bold")
    axis.text(
        0, len(rows), _DIFFERENCE, transform=axis.get_yaxis_transform(), va="center", weight="bold"
    )
    axis.axvline(0, 0, 0.96, color=GREY, linewidth=0.6)
    axis.set_ylim(-0.6, len(compared) - 0.4)
    # Without a minimal range, differences of hundredths would look large.
    low, high = axis.get_xlim()
    axis.set_xlim(min(low, -0.5), max(high, 0.5))
    axis.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.set_xlabel("percentage points, 95 % interval")


def format_chi_squared(one: ComparisonResult) -> str:
    """Give `p < 0.001`, `p = 0.03`, or why there is nothing to test."""
    if one.chi_squared is None:
        right, total = one.first[0] + one.second[0], one.first[1] + one.second[1]
        return "no error in either" if right == total else "none correct in either"
    return format_p(one.chi_squared.p)


def _in_lines(name: str) -> str:
    return name.replace("-", "-\n", 1)


def _percent(pool: tuple[int, int]) -> str:
    return format_share(pool[0] / pool[1]).removesuffix(" %")


def _format_paper(one: ComparisonResult) -> str:
    first, second = one.comparison.paper_percent
    return f"{first} against {second}\np {one.comparison.paper_p}"


def _describe(
    validated: Mapping[Candidate, Scores], compared: Sequence[ComparisonResult], chosen: Candidate
) -> str:
    points = "; ".join(f"{c.name} {format_share(validated[c].accuracy)}" for c in CANDIDATES)
    tests = "; ".join(
        f"{one.comparison.name}: {_percent(one.first)} against {_percent(one.second)} %, "
        f"{format_chi_squared(one)}"
        for one in compared
    )
    return f"Accuracies: {points}. Chosen: {chosen.name}. Pooled comparisons: {tests}."
