"""Table of the five comparisons of candidates, and what became of the paper's order."""

from collections.abc import Iterable, Sequence

from cxrview.paper.candidates import FINE_TUNINGS, Candidate
from cxrview.paper.compare import ComparisonResult
from cxrview.paper.earlier_run import Count, EarlierComparison
from cxrview.paper.results import Reproduction
from cxrview.paper.tables.table import Table
from cxrview.reports.format import (
    format_count,
    format_p,
    format_points,
    format_right,
    format_share,
)

LEVEL = 0.05
"""Level of significance (paper, section 5)."""
_AGAINST = " against "
AS_IN_THE_PAPER, REVERSED, EQUAL = "as in the paper", "reversed", "equal"


def comparisons_table(run: Reproduction) -> Table:
    """Table of the paper's five pooled comparisons and ours."""
    return Table(
        name="comparisons",
        caption="Pooled comparisons of candidates (paper, section 5)",
        columns=(
            "First against second",
            "Paper, %",
            "Paper, p",
            "Here, %",
            "Here, right",
            "Chi-squared",
            "Chi-squared, continuity-corrected",
            "Difference on the same originals, points (95 % interval)",
            "Order",
        ),
        numbers=frozenset(range(1, 8)),
        rows=tuple(_comparison_row(compared) for compared in run.compared),
        notes=(
            "Pools are compared as in the paper, each candidate on its own validation images. "
            "The difference is between mean accuracies on the same unchanged originals, with a "
            "bootstrap interval over patients. If it includes 0, these images show no "
            "difference between the pools.",
        ),
    )


def _comparison_row(compared: ComparisonResult) -> tuple[str, ...]:
    paper = compared.comparison.paper_percent
    return (
        compared.comparison.name.replace(_AGAINST, f"\n{_AGAINST[1:]}"),
        f"{paper[0]:.1f}\nagainst {paper[1]:.1f}",
        compared.comparison.paper_p,
        "\nagainst ".join(_percents(compared.first, compared.second)),
        f"{format_right(*compared.first)}\nagainst {format_right(*compared.second)}",
        *_format_test(compared),
        f"{format_points(compared.difference_on_progenitors)}\n"
        f"({format_points(compared.interval.low)} to {format_points(compared.interval.high)})",
        describe_order(compared),
    )


def _percents(*pools: Count) -> list[str]:
    return [format_share(right / images).removesuffix(" %") for right, images in pools]


def _format_test(compared: ComparisonResult) -> tuple[str, str]:
    found = compared.chi_squared
    if found is None:
        return "nothing to test", "nothing to test"
    return (
        f"{found.statistic:.2f}\n{format_p(found.p)}",
        f"{found.corrected_statistic:.2f}\n{format_p(found.corrected_p)}",
    )


def describe_order(compared: ComparisonResult) -> str:
    """Say whether the better pool of the paper is also better here, by pooled counts."""
    return order_of(compared.comparison.paper_percent, compared.first, compared.second)


def order_of(paper: tuple[float, float], first: Count, second: Count) -> str:
    """Say whether the pool that is better in the paper is also the better one of two counts."""
    # Cross-multiplied, so that equal shares of pools of different size compare as equal.
    lead = first[0] * second[1] - second[0] * first[1]
    if lead == 0:
        return EQUAL
    return AS_IN_THE_PAPER if (lead > 0) == (paper[0] > paper[1]) else REVERSED


def order_sentences(run: Reproduction) -> tuple[str, ...]:
    """Say in how many comparisons the order is that of the paper, and describe the others."""
    same = [c for c in run.compared if describe_order(c) == AS_IN_THE_PAPER]
    sure = [c for c in same if c.chi_squared and c.chi_squared.p < LEVEL]
    first = (
        f"The order of the pools is that of the paper in {len(same)} of {len(run.compared)} "
        f"comparisons, in {len(sure)} of them with p below {LEVEL} (without continuity "
        "correction)."
    )
    return (first, *(_other_order(run, c) for c in run.compared if c not in same))


def _other_order(run: Reproduction, compared: ComparisonResult) -> str:
    first, second = _percents(compared.first, compared.second)
    paper = compared.comparison.paper_percent
    sentences = [
        f"Different: {compared.comparison.name}. Here {first} against {second} %, in the paper "
        f"{paper[0]:.1f} against {paper[1]:.1f} %: {describe_order(compared)}.",
        *_different_images(run, compared),
        *_by_method(run, compared),
        _on_the_same_originals(compared),
    ]
    return " ".join(sentences)


def _different_images(run: Reproduction, compared: ComparisonResult) -> Iterable[str]:
    """Say that one pool is counted on originals and the other on variants of them."""
    first, second = (
        max(len(run.validated[one]) for one in pool)
        for pool in (compared.comparison.first, compared.comparison.second)
    )
    if first != second:
        yield (
            f"The pools are counted on different images: each candidate of the first on "
            f"{format_count(first)}, of the second on {format_count(second)}, as in the paper. "
            "fc-original is counted on the originals only, the others also on rotated, mirrored "
            "and noisy variants of them."
        )


def _by_method(run: Reproduction, compared: ComparisonResult) -> Iterable[str]:
    """Compare two pools of the same methods method by method."""
    methods = [_methods(compared.comparison.first), _methods(compared.comparison.second)]
    if methods[0] != methods[1] or len(methods[0]) == 1:
        return
    parts = []
    for method in (name for name in FINE_TUNINGS if name in methods[0]):
        first, second = (
            _count(run, [one for one in pool if one.fine_tuning == method])
            for pool in (compared.comparison.first, compared.comparison.second)
        )
        parts.append(f"{method} {' against '.join(_percents(first, second))} %")
    yield f"By method: {', '.join(parts)}."


def _methods(pool: Iterable[Candidate]) -> set[str]:
    return {one.fine_tuning for one in pool}


def _count(run: Reproduction, pool: Sequence[Candidate]) -> Count:
    scores = [run.validated[one] for one in pool]
    return sum(int(s.is_right.sum()) for s in scores), sum(map(len, scores))


def _on_the_same_originals(compared: ComparisonResult) -> str:
    low, high = compared.interval.low, compared.interval.high
    words = (
        f"On the same originals the difference is "
        f"{format_points(compared.difference_on_progenitors)} points ({format_points(low)} to "
        f"{format_points(high)})"
    )
    return f"{words}, which includes 0: they show none." if low <= 0 <= high else f"{words}."


def scales_table(run: Reproduction) -> Table:
    """Table of the comparisons in an earlier run and in this one; empty without an earlier run."""
    earlier = run.earlier
    return Table(
        name="scales",
        caption=f"The comparisons {earlier.title} and here" if earlier else "",
        columns=(
            "First against second",
            "Paper, %",
            earlier.heading if earlier else "",
            f"Here, {run.scale.name} scale",
            "Result",
        ),
        rows=tuple(
            _scales_row(compared, earlier.comparisons[compared.comparison.name])
            for compared in run.compared
            if earlier and compared.comparison.name in earlier.comparisons
        ),
        notes=(
            f"The result is the order and whether p is below {LEVEL} (chi-squared without "
            "continuity correction).",
            *((f"The earlier run: {earlier.words}.",) if earlier else ()),
        ),
    )


def _scales_row(compared: ComparisonResult, earlier: EarlierComparison) -> tuple[str, ...]:
    name, paper = compared.comparison.name, compared.comparison.paper_percent
    p = compared.chi_squared.p if compared.chi_squared else None
    now = (order_of(paper, compared.first, compared.second), _is_sure(p))
    then = (order_of(paper, earlier.first, earlier.second), _is_sure(earlier.p))
    return (
        name.replace(_AGAINST, f"\n{_AGAINST[1:]}"),
        f"{paper[0]:.1f} against {paper[1]:.1f}\np {compared.comparison.paper_p}",
        _result_cell(then[0], earlier.first, earlier.second, earlier.p),
        _result_cell(now[0], compared.first, compared.second, p),
        "the same" if now == then else "changed",
    )


def _is_sure(p: float | None) -> bool:
    return p is not None and p < LEVEL


def _result_cell(order: str, first: Count, second: Count, p: float | None) -> str:
    shares = " against ".join(_percents(first, second))
    return f"{shares} %, {order}\n{'nothing to test' if p is None else format_p(p)}"
