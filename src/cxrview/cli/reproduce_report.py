"""Print the numbers of the paper and of its reproduction side by side."""

from collections.abc import Mapping, Sequence

from cxrview.cli.shared.tables import Column, number, print_table, table_console, text
from cxrview.paper.candidates import Candidate
from cxrview.paper.compare import ComparisonResult
from cxrview.paper.page import result_sentences
from cxrview.paper.results import Reproduction
from cxrview.records.scores import Scores
from cxrview.reports.format import format_interval, format_share
from cxrview.stats import exact_interval

WIDTH_OF_A_FILE = 120


def print_reproduction(run: Reproduction) -> None:
    """Print the scale, the nine candidates, the five comparisons, the choice, and the test."""
    print_lines(f"[bold]{run.scale.name} scale:[/bold] {run.scale.words}")
    print_candidates(run.validated, run.chosen)
    print_comparisons(run.compared)
    print_lines(*result_sentences(run))


def print_lines(*lines: str) -> None:
    """Print lines of text with markup, wrapped at the width of the console."""
    console = table_console(WIDTH_OF_A_FILE)
    for line in lines:
        console.print(line, highlight=False)


def print_candidates(validated: Mapping[Candidate, Scores], chosen: Candidate) -> None:
    """Print a row for each candidate, on its validation images."""
    rows = []
    for candidate, scores in validated.items():
        right, total = int(scores.is_right.sum()), len(scores)
        rows.append(
            (
                candidate.name,
                f"{right:,}/{total:,}",
                format_share(right / total),
                format_interval(exact_interval(right, total)),
                "chosen" if candidate == chosen else "",
            )
        )
    numbers = map(number, ("right", "accuracy", "95 % interval"))
    _print("Validation", [text("candidate"), *numbers, text("")], rows)


def print_comparisons(compared: Sequence[ComparisonResult]) -> None:
    """Print a row for each of the paper's comparisons."""
    names = ("pools", "paper %", "p", "ours %", "p", "same images, points (95 %)")
    rows = [
        (
            one.comparison.name,
            " vs ".join(f"{value:g}" for value in one.comparison.paper_percent),
            one.comparison.paper_p,
            " vs ".join(f"{100 * right / of:.2f}" for right, of in (one.first, one.second)),
            f"{one.chi_squared.p:.2g}" if one.chi_squared else "no error",
            _difference(one),
        )
        for one in compared
    ]
    _print("Comparisons", list(map(text, names)), rows)


def _print(title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    print_table(columns, rows, title=title, is_ruled=False, width_of_a_file=WIDTH_OF_A_FILE)


def _difference(one: ComparisonResult) -> str:
    low, high = 100 * one.interval.low, 100 * one.interval.high
    return f"{100 * one.difference_on_progenitors:+.2f} ({low:+.2f} to {high:+.2f})"
