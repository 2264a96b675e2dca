"""Options and functions that the commands of `cxrview robustness` share."""

from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.errors import UsageError
from cxrview.install_command import install_command

if TYPE_CHECKING:
    from cxrview.classify.model import Model
    from cxrview.records.model_card import ModelCard

CutoffOption = Annotated[
    float | None,
    typer.Option(
        "--cutoff",
        min=0,
        max=100,
        help="Frontal where PFI is at least this, in percent.",
        show_default="the card's",
    ),
]


def need_extra() -> None:
    """Raise UsageError if a library of the extra named train is not installed."""
    from importlib.util import find_spec

    for name, called in (("cv2", "OpenCV"), ("scipy", "SciPy"), ("matplotlib", "Matplotlib")):
        if find_spec(name) is None:
            raise UsageError(
                f"robustness needs {called}, which is not installed",
                f"Install it with: {install_command('train')}",
            )


def load_with_cutoff(name: str, cutoff: float | None) -> "tuple[Model, float]":
    """Load a model; return it with the given cutoff, or that of its card."""
    from cxrview.classify.model import load_model
    from cxrview.cli.shared.smoke_model import warn_of_smoke_test

    model = load_model(name, precision="fp32", device="cpu")
    warn_of_smoke_test(model.card)
    return model, model.card.cutoff if cutoff is None else cutoff


def scale_of(card: "ModelCard") -> str:
    """Return the scale of a model's training, in words; empty if the card does not have it."""
    return card.about.scale or ""
