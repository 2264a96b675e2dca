"""Answers the command lines of version 0.1.0 that have other names now, for one release."""

from collections.abc import Callable, Container, Sequence
from pathlib import Path
from typing import Any

from typer.core import TyperCommand, TyperGroup

from cxrview.errors import UsageError

NewForm = Callable[[Sequence[str]], str | None]
"""Takes the words after a command, gives the command that does this now; None: they are not old."""


def group_naming(new_form: NewForm) -> type[TyperGroup]:
    """A group of sub-commands that names the right one where the words name none.

    Args:
        new_form: asked only about words that begin with no sub-command.
    """

    class Group(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if args and not ctx.resilient_parsing and _is_old(args, self.commands, ctx):
                _refuse(ctx, new_form(args))
            return super().parse_args(ctx, args)

    return Group


def command_naming(new_form: NewForm) -> type[TyperCommand]:
    """A command that names another one where the words belong to that one."""

    class Command(TyperCommand):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if not ctx.resilient_parsing:
                _refuse(ctx, new_form(args))
            return super().parse_args(ctx, args)

    return Command


def _is_old(args: Sequence[str], commands: Container[str], ctx: Any) -> bool:
    """Whether it is more than a mistyped sub-command, which click itself answers better."""
    if args[0] in commands or args[0] in ctx.help_option_names:
        return False
    return len(args) > 1 or Path(args[0]).exists()


def _refuse(ctx: Any, form: str | None) -> None:
    if form:
        raise UsageError(
            f"cxrview {ctx.info_name} does not take this any more", f"Use cxrview {form}"
        )
