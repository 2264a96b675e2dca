"""Refuse `nan` and `inf` for the numbers of every command."""

import math
from typing import Any

from typer import BadParameter, Typer
from typer.core import TyperCommand


def refuse_endless_numbers(app: Typer) -> None:
    """Make all commands, including those of groups, refuse numbers that are not finite.

    Python reads `nan` and `inf` as numbers, and a range with a minimum and a maximum contains
    `nan`, since every comparison with it is false.

    Args:
        app: with all of its commands.
    """
    for command in app.registered_commands:
        command.cls = _refusing(command.cls or TyperCommand)
    for group in app.registered_groups:
        if group.typer_instance:
            refuse_endless_numbers(group.typer_instance)


def _refusing(base: type[TyperCommand]) -> type[TyperCommand]:
    class Command(base):  # type: ignore[valid-type, misc]
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            rest: list[str] = super().parse_args(ctx, args)
            for param in self.params:
                value = ctx.params.get(param.name)
                for number in value if isinstance(value, tuple | list) else (value,):
                    if isinstance(number, float) and not math.isfinite(number):
                        raise BadParameter(f"{number} is not a finite number", ctx, param)
            return rest

    return Command
