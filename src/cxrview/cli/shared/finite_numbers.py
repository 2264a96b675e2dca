"""Refuse `nan` and `inf` for the numbers of every command."""

import math
from typing import Any

from typer import BadParameter, Typer
from typer.core import TyperCommand


class FiniteNumbers(TyperCommand):
    """A command that refuses numbers that are not finite."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as Typer does, then check all numbers.

        Raises:
            BadParameter: one is `nan`, `inf` or `-inf`.
        """
        rest: list[str] = super().parse_args(ctx, args)
        params: list[Any] = self.params  # of Typer's classes, which the annotation does not say
        for param in params:
            value = ctx.params.get(param.name)
            for number in value if isinstance(value, tuple | list) else (value,):
                if isinstance(number, float) and not math.isfinite(number):
                    raise BadParameter(f"{number} is not a finite number", ctx, param)
        return rest


def require_finite_numbers(app: Typer) -> None:
    """Make all commands, including those of groups, refuse numbers that are not finite.

    Python reads `nan` and `inf` as numbers, and a range with a minimum and a maximum contains
    `nan`, since every comparison with it is false.

    Args:
        app: with all of its commands.
    """
    for command in app.registered_commands:
        command.cls = type("Command", (FiniteNumbers, command.cls or TyperCommand), {})
    for group in app.registered_groups:
        if group.typer_instance:
            require_finite_numbers(group.typer_instance)
