"""A model on disk: `model.onnx` and the `card.json` that vouches for it by hash."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from cxrview.errors import ModelRefused
from cxrview.records import ModelCard
from cxrview.store.whole import write_whole

WEIGHTS_NAME, CARD_NAME = "model.onnx", "card.json"
_ADVICE = "Take both files from one place, unchanged"


def read_model(folder: Path) -> tuple[ModelCard, bytes]:
    """Read a card and the weights that it names, which must have the card's hash.

    Raises:
        ModelRefused: a file is missing or unreadable, or the hash differs by as much as a bit.
    """
    try:
        weights = (folder / WEIGHTS_NAME).read_bytes()
        fields = json.loads((folder / CARD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelRefused(
            f"{folder} holds no model: {WEIGHTS_NAME} and {CARD_NAME} are needed there", _ADVICE
        ) from error
    card = _card(fields, folder)
    if hashlib.sha256(weights).hexdigest() != card.weights_sha256:
        raise ModelRefused(
            f"{folder / WEIGHTS_NAME} is not the file that {CARD_NAME} vouches for: "
            "its SHA-256 differs",
            _ADVICE,
        )
    return card, weights


def write_model(folder: Path, card: ModelCard, weights: bytes) -> None:
    """Write both files, the card last, so that a stop in between leaves no valid pair."""
    (folder / CARD_NAME).unlink(missing_ok=True)
    write_whole(folder / WEIGHTS_NAME, weights)
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=False)
    write_whole(folder / CARD_NAME, text + "\n")


def _card(fields: dict[str, Any], folder: Path) -> ModelCard:
    try:
        low, high = fields["review_band"]
        return ModelCard(**{**fields, "review_band": (float(low), float(high))})
    except (KeyError, TypeError, ValueError) as error:
        raise ModelRefused(
            f"{folder / CARD_NAME} is no model card: a field is missing, unknown or out of range",
            _ADVICE,
        ) from error
