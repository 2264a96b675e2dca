"""The conditions that the answers of two models together depend on, besides the first model."""

from cxrview.classify.model import Model


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
