"""A model with a second one behind it: the cutoff of each, and what their answers depend on."""

from dataclasses import dataclass

from cxrview.classify.model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidingModel:
    """A model whose PFI decides on the view, and its cutoff."""

    model_id: str
    cutoff: float
    """Percent; frontal if PFI is at least this."""


def deciding_models(model: Model, cutoff: float | None = None) -> tuple[DecidingModel, ...]:
    """Return the model and, of a cascade, the second one.

    Args:
        model: alone or with a second one.
        cutoff: of all of them, percent; None for that on the card of each.
    """
    cards = [model.card, *([model.second_card] if model.second_card else [])]
    return tuple(
        DecidingModel(model_id=card.model_id, cutoff=card.cutoff if cutoff is None else cutoff)
        for card in cards
    )


def cascade_conditions(model: Model) -> dict[str, str]:
    """Return what the answers depend on besides the first model; empty for a single model.

    The id and weights of the first model are the same with any second one, and without one.
    """
    second = model.second_card
    if second is None:
        return {}
    low, high = model.card.review_band
    return {
        "second_model": second.model_id,
        "second_weights_sha256": second.weights_sha256,
        "border": f"{low:g} {high:g}",
        "chest_border": f"{model.card.chest_cutoff:g}",
    }
