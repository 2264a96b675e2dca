"""Completes the help of each command: the text of its docstring, and an example."""

import inspect
from collections.abc import Mapping

from typer import Typer


def complete_help(app: Typer, examples: Mapping[str, str], before: str = "") -> None:
    """Set the help of all commands, also those of groups.

    Typer keeps the line breaks of a docstring and then breaks its lines again; here a line ends
    where the terminal does.

    Args:
        app: with all of its commands.
        examples: a command line for each command, by its words after `cxrview`.
        before: words of the group that `app` is.

    Raises:
        KeyError: a command has no example.
    """
    for command in app.registered_commands:
        text = command.help or inspect.getdoc(command.callback)
        command.help = unwrapped(text or "")
        name = str(command.name or getattr(command.callback, "__name__", ""))
        command.epilog = f"Example: {examples[before + name]}"
    for group in app.registered_groups:
        if group.typer_instance:
            complete_help(group.typer_instance, examples, f"{before}{group.name} ")


def unwrapped(text: str) -> str:
    """A text in which each paragraph is one line; a blank line ends a paragraph."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n"))
