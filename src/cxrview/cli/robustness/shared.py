"""Options and functions that the commands of `cxrview robustness` share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cxrview.errors import UsageError
from cxrview.install_command import install_command

if TYPE_CHECKING:
    from cxrview.assess.cascade import DecidingModel
    from cxrview.classify.model import Model
    from cxrview.records.model_card import ModelCard

CutoffOption = Annotated[
    float | None,
    typer.Option(
        "--cutoff",
        min=0,
        max=100,
        help="Frontal where PFI is at least this, in percent, whichever model answers.",
        show_default="that of the model that answers",
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


def load_with_cutoffs(name: str, cutoff: float | None) -> "tuple[Model, tuple[DecidingModel, ...]]":
    """Load a model; return it with the given cutoff, or with those of its cards."""
    from cxrview.assess.cascade import deciding_models
    from cxrview.classify.model import load_model
    from cxrview.cli.shared.smoke_model import warn_of_smoke_test

    model = load_model(name, precision="fp32", device="cpu")
    warn_of_smoke_test(model.card)
    return model, deciding_models(model, cutoff)


def name_cutoffs(models: "Sequence[DecidingModel]") -> str:
    """Name each model with its cutoff, such as `fast-5868ccf6, cutoff 49.5 %`."""
    return ", behind it ".join(f"{one.model_id}, cutoff {one.cutoff:g} %" for one in models)


def scale_of(card: "ModelCard") -> str:
    """Return the scale of a model's training, in words; empty if the card does not have it."""
    return card.about.scale or ""
