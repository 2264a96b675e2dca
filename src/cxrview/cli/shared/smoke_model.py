"""Says of a model that was made to test the machinery that it is no model to use."""

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from cxrview.records import ModelCard


def warn_of_smoke_test(card: "ModelCard") -> None:
    """Say it on the error output, whatever is computed by the model then; nothing of others."""
    if card.is_smoke_test:
        typer.echo(
            f"cxrview: the model {card.model_id} was made at --scale smoke, a test of the "
            "machinery: its answers mean nothing. Train one at --scale laptop or paper, or take "
            "the shipped model",
            err=True,
        )
