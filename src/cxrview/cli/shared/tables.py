"""Where tables for people are printed."""

from rich.console import Console


def table_console(width_of_a_file: int) -> Console:
    """A console wide enough for a table.

    Args:
        width_of_a_file: columns where there is no terminal to ask.
    """
    console = Console()
    console.width = max(console.width, 80) if console.is_terminal else width_of_a_file
    return console
