"""Warn that a model was made only to test the software."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cxrview.records.model_card import ModelCard


def warn_of_smoke_test(card: "ModelCard") -> None:
    """Print a warning on stderr if the model was made at --scale smoke."""
    if card.is_smoke_test:
        typer.echo(
            f"cxrview: the model {card.model_id} was made at --scale smoke, a test of the "
            "software: its output is meaningless. Train one at --scale laptop or paper, or use the "
            "model in the package",
            err=True,
        )
