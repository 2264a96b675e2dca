"""Prints what modifications did to a model, as tables for people."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from cxrview.cli.shared.tables import table_console
from cxrview.records import Interval, ModifiedCount, ModifiedImage

WIDTH_OF_A_FILE = 110
"""Columns where there is no terminal to ask."""


def print_counts(counts: Sequence[ModifiedCount], title: str) -> None:
    """A row for each modification and severity; says so where not all images were asked about."""
    table = _table(
        f"{title}: {_how_many(counts[0])}",
        ("modification", "severity"),
        ("right, % (95 % CI)", "frontal", "lateral", "lost/gained", "difference"),
    )
    for one in counts:
        of = one.table
        table.add_row(
            one.modification,
            one.severity,
            f"{100 * of.accuracy:.2f} ({_percent(one.interval)})",
            f"{of.frontal_called_frontal}/{of.frontal}",
            f"{of.lateral_called_lateral}/{of.lateral}",
            f"{one.lost}/{one.gained}",
            f"{100 * one.difference:+.1f}",
        )
    _print(table)


def print_images(shown: Sequence[Sequence[ModifiedImage]], cutoff: float) -> None:
    """A row for each picture of each image."""
    table = _table(f"cutoff {cutoff:g} %", ("image", "modification", "view"), ("PFI %",))
    for number, row in enumerate(shown, start=1):
        for one in row:
            view = "frontal" if one.pfi >= cutoff else "lateral"
            table.add_row(f"{number}", one.title, view, f"{one.pfi:.3f}")
    _print(table)


def _how_many(one: ModifiedCount) -> str:
    asked = one.table.total
    return f"all {asked}" if asked == one.drawn_from else f"{asked} of {one.drawn_from}"


def _percent(interval: Interval) -> str:
    return f"{100 * interval.low:.2f}-{100 * interval.high:.2f}"


def _table(title: str, words: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(
        title=title, title_justify="left", header_style="bold", pad_edge=False, box=SIMPLE_HEAD
    )
    for name in words:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _print(table: Table) -> None:
    console = table_console(WIDTH_OF_A_FILE)
    console.print(table)
