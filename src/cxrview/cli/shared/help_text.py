"""Makes the help of each command from its docstring, whose line breaks are those of the source."""

import inspect

from typer import Typer


def unwrap_help(app: Typer) -> None:
    """Have the help of all commands, also those of groups, broken where the terminal ends.

    Typer keeps the line breaks of a docstring and then breaks its lines again.

    Args:
        app: with all of its commands.
    """
    for command in app.registered_commands:
        text = command.help or inspect.getdoc(command.callback)
        command.help = unwrapped(text or "")
    for group in app.registered_groups:
        if group.typer_instance:
            unwrap_help(group.typer_instance)


def unwrapped(text: str) -> str:
    """A text in which each paragraph is one line; a blank line ends a paragraph."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n"))
