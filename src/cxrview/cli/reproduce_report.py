"""Prints the paper's figures and ours side by side."""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cxrview.cli.shared.tables import table_console
from cxrview.paper.candidates import Candidate
from cxrview.paper.compare import Compared
from cxrview.paper.page import result_sentences
from cxrview.paper.results import Reproduction
from cxrview.records import Scores
from cxrview.reports.format import format_interval, format_share
from cxrview.stats import exact_interval

WIDTH_OF_A_FILE = 120
"""Columns where there is no terminal to ask."""


def print_reproduction(run: Reproduction) -> None:
    """The nine, the five comparisons, the choice, and the test, under the words of the scale."""
    console = table_console(WIDTH_OF_A_FILE)
    console.print(f"[bold]{run.scale.name} scale:[/bold] {run.scale.words}", highlight=False)
    console.print(candidates_of(run.validated, run.chosen))
    console.print(comparisons_of(run.compared))
    for sentence in result_sentences(run):
        console.print(sentence, highlight=False)


def candidates_of(validated: Mapping[Candidate, Scores], chosen: Candidate) -> Table:
    """A row for each candidate, on its own validation images."""
    table = Table(title="Validation", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("candidate", "right", "accuracy", "95 % interval", ""):
        table.add_column(name, justify="left" if name in ("candidate", "") else "right")
    for candidate, scores in validated.items():
        right, total = int(scores.is_right.sum()), len(scores)
        interval = format_interval(exact_interval(right, total))
        mark = "chosen" if candidate == chosen else ""
        table.add_row(
            candidate.name, f"{right:,}/{total:,}", format_share(right / total), interval, mark
        )
    return table


def comparisons_of(compared: Sequence[Compared]) -> Table:
    """A row for each of the paper's comparisons."""
    table = Table(title="Comparisons", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("pools", "paper %", "p", "ours %", "p", "same images, points (95 %)"):
        table.add_column(name)
    for one in compared:
        table.add_row(
            one.pools.name,
            " vs ".join(f"{value:g}" for value in one.pools.paper_percent),
            one.pools.paper_p,
            " vs ".join(f"{100 * right / of:.2f}" for right, of in (one.first, one.second)),
            f"{one.chi_squared.p:.2g}" if one.chi_squared else "no error",
            _difference(one),
        )
    return table


def _difference(one: Compared) -> str:
    low, high = 100 * one.interval.low, 100 * one.interval.high
    return f"{100 * one.difference_on_progenitors:+.2f} ({low:+.2f} to {high:+.2f})"
