"""Tables of the nine candidates and the five comparisons, and the reason for the choice."""

import numpy as np

from cxrview.paper.candidates import PRE_TRAININGS, Candidate
from cxrview.paper.compare import ComparisonResult
from cxrview.paper.published_numbers import VALIDATED
from cxrview.paper.results import Reproduction
from cxrview.paper.tables.table import Table
from cxrview.records.scores import Scores
from cxrview.reports.format import (
    NONE,
    format_count,
    format_interval,
    format_p,
    format_points,
    format_right,
    format_share,
)
from cxrview.stats import exact_interval, patient_bootstrap

LEVEL = 0.05
"""Level of significance (paper, section 5)."""
_AGAINST = " against "
AS_IN_THE_PAPER, REVERSED, EQUAL = "as in the paper", "reversed", "equal"


def candidates_table(run: Reproduction) -> Table:
    """Table of each candidate on its own validation images and on the same originals."""
    names = list(run.validated)
    return Table(
        name="candidates",
        caption="Top-1 accuracy of the candidates on validation images (paper, sections 4 and 5)",
        columns=(
            "Candidate",
            "Own validation images: right",
            "Accuracy",
            "95 % interval, exact",
            "Same originals: right",
            "Accuracy",
            "95 % interval, over patients",
            "Paper",
        ),
        numbers=frozenset(range(1, 8)),
        rows=tuple(_candidate_row(run, candidate) for candidate in names),
        marked=frozenset([names.index(run.chosen)]),
        notes=(
            "The marked row was chosen. Own validation images are the originals for fc-original "
            "and the variants of them for the other two. The exact interval (Clopper-Pearson) "
            "treats variants of one image as independent, as the paper does, and so is too "
            "narrow; the other is a bootstrap over patients on the unchanged originals, which "
            "are the same images for every candidate. It is undefined without an error.",
        ),
    )


def _candidate_row(run: Reproduction, candidate: Candidate) -> tuple[str, ...]:
    own = run.validated[candidate]
    originals = own.where(own.is_progenitor)
    return (
        candidate.name,
        *_share(own),
        format_interval(exact_interval(int(own.is_right.sum()), len(own))),
        *_share(originals),
        _over_patients(originals, run.seed),
        _papers_accuracy(candidate),
    )


def _over_patients(originals: Scores, seed: int) -> str:
    is_right = originals.is_right
    if is_right.all() or not is_right.any():
        return NONE
    return format_interval(
        patient_bootstrap(is_right.astype(np.float64), originals.patients, seed=seed)
    )


def _share(scores: Scores) -> tuple[str, str]:
    counts = int(scores.is_right.sum()), len(scores)
    return format_right(*counts), format_share(scores.accuracy)


def _papers_accuracy(candidate: Candidate) -> str:
    paper = VALIDATED.get(candidate.name)
    if paper is None:
        return NONE
    low, high = paper.percent_interval or (paper.percent, paper.percent)
    return f"{paper.percent:.2f} %\n({low:.2f}–{high:.2f} %)"


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
        "\nagainst ".join(_pool_percents(compared)),
        f"{format_right(*compared.first)}\nagainst {format_right(*compared.second)}",
        *_format_test(compared),
        f"{format_points(compared.difference_on_progenitors)}\n"
        f"({format_points(compared.interval.low)} to {format_points(compared.interval.high)})",
        describe_order(compared),
    )


def _pool_percents(compared: ComparisonResult) -> list[str]:
    return [format_share(r / n).removesuffix(" %") for r, n in (compared.first, compared.second)]


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
    paper = compared.comparison.paper_percent
    # Cross-multiplied, so that equal shares of pools of different size compare as equal.
    lead = compared.first[0] * compared.second[1] - compared.second[0] * compared.first[1]
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
    return (first, *(_other_order(c) for c in run.compared if c not in same))


def _other_order(compared: ComparisonResult) -> str:
    first, second = _pool_percents(compared)
    paper = compared.comparison.paper_percent
    return (
        f"Different: {compared.comparison.name}. Here {first} against {second} %, in the paper "
        f"{paper[0]:.1f} against {paper[1]:.1f} %: {describe_order(compared)}."
    )


def choice_sentences(run: Reproduction) -> tuple[str, ...]:
    """Say which candidate was chosen, and why."""
    chosen, own = run.chosen, run.validated[run.chosen]
    equal = [c for c, s in run.validated.items() if s.accuracy == own.accuracy]
    most = [c for c in equal if _pictures(c) == _pictures(chosen)]
    count, accuracy = _share(own)
    if len(equal) == 1:
        why = "No other candidate reached that accuracy."
    else:
        others = ", ".join(c.name for c in equal if c != chosen)
        why = f"Equal to it: {others}. "
        why += (
            "Of these it has the most pre-training pictures, "
            f"{format_count(_pictures(chosen))} as published."
            if len(most) == 1
            else "Several of them have the most pre-training pictures; the first in order was "
            "chosen."
        )
    return (
        f"Chosen: {chosen.name}, with {count} validation images correct ({accuracy}). {why}",
        "The rule is the paper's (section 5): the highest validation accuracy; among equals, the "
        "one with the most pre-training images.",
        _papers_choice(chosen),
    )


def _pictures(candidate: Candidate) -> int:
    return PRE_TRAININGS[candidate.pre_training].images


def _papers_choice(chosen: Candidate) -> str:
    (paper,) = VALIDATED
    if chosen.name == paper:
        return "The paper chose the same candidate."
    return f"The paper chose another one: {paper}."
