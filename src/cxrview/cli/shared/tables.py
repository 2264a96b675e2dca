"""Print tables on the terminal; rich is imported only when a table is printed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDTH_OF_A_FILE = 110
"""Width in characters if the output is not a terminal."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a printed table."""

    name: str
    is_number: bool = False
    """Whether its cells are aligned to the right."""
    keeps_lines: bool = False
    """Whether its cells are never wrapped."""


def text(name: str, *, keeps_lines: bool = False) -> Column:
    """Return a column of words."""
    return Column(name, keeps_lines=keeps_lines)


def number(name: str, *, keeps_lines: bool = False) -> Column:
    """Return a column of numbers."""
    return Column(name, is_number=True, keeps_lines=keeps_lines)


def print_table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    is_ruled: bool = True,
    width_of_a_file: int = WIDTH_OF_A_FILE,
) -> None:
    """Print a table on standard output.

    Args:
        columns: from left to right.
        rows: a cell for each column, not interpreted as markup.
        title: above the table.
        is_ruled: draw lines around the table and between its columns.
        width_of_a_file: width in characters if the output is not a terminal.
    """
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title=escape(title) or None,
        title_justify="left",
        header_style="bold",
        pad_edge=False,
        box=box.HEAVY_HEAD if is_ruled else box.SIMPLE_HEAD,
    )
    for column in columns:
        table.add_column(
            column.name,
            justify="right" if column.is_number else "left",
            no_wrap=column.keeps_lines,
            overflow="ellipsis" if column.is_number else "fold",
        )
    for row in rows:
        table.add_row(*map(escape, row))
    table_console(width_of_a_file).print(table)


def table_console(width_of_a_file: int = WIDTH_OF_A_FILE) -> "Console":
    """Return a console wide enough for a table; argument as `print_table`."""
    from rich.console import Console

    console = Console()
    console.width = max(console.width, 80) if console.is_terminal else width_of_a_file
    return console
