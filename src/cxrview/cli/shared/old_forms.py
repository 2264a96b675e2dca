"""Name the new command for command lines of version 0.1.0 that were renamed, for one release."""

from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

from cxrview.errors import UsageError

NewForm = Callable[[Sequence[str]], str | None]
"""From the words after a command to the command that replaces it; None if they are not outdated."""


def group_naming(new_form: NewForm) -> type[TyperGroup]:
    """Create a class for a group of sub-commands that names the new command for an outdated line.

    Args:
        new_form: called for words that do not begin with a sub-command.
    """

    class Group(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if args and not ctx.resilient_parsing and _is_old(args, self.commands, ctx):
                _refuse(ctx, new_form(args))
            return super().parse_args(ctx, args)

    return Group


def command_naming(new_form: NewForm) -> type[TyperCommand]:
    """Create a class for a command that names the new command for an outdated line."""

    class Command(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if not ctx.resilient_parsing:
                _refuse(ctx, new_form(args))
            return super().parse_args(ctx, args)

    return Command


def _is_old(args: Sequence[str], commands: Container[str], ctx: Any) -> bool:
    """Whether the words are more than a mistyped sub-command, which click reports better."""
    if args[0] in commands or args[0] in ctx.help_option_names:
        return False
    return len(args) > 1 or Path(args[0]).exists()


def _refuse(ctx: Any, form: str | None) -> None:
    if form:
        raise UsageError(
            f"cxrview {ctx.info_name} does not take this any more", f"Use cxrview {form}"
        )
