"""Read and write a model's folder: the weights, and the `card.json` that holds their hash."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from cxrview.atomic_files import write_atomic
from cxrview.errors import InvalidModel
from cxrview.records.card_about import CardAbout
from cxrview.records.json_object import from_json, to_json
from cxrview.records.model_card import ModelCard
from cxrview.records.risk_curve import Head, RiskCurve

WEIGHTS_NAME, INT8_WEIGHTS_NAME, CARD_NAME = "model.onnx", "model-int8.onnx", "card.json"
_ADVICE = "Copy all files from one place, unchanged"


def read_model(folder: Path) -> tuple[ModelCard, bytes]:
    """Read a card and its float32 weights, which must have the hash in the card.

    Raises:
        InvalidModel: a file is missing or unreadable, or the hash differs.
    """
    card = read_card(folder)
    return card, read_weights(folder / WEIGHTS_NAME, card)


def read_card(folder: Path) -> ModelCard:
    """Read a card without its weights.

    Raises:
        InvalidModel: the card is missing, unreadable or not a card.
    """
    try:
        fields = json.loads((folder / CARD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _no_model(folder) from error
    try:
        return _card(fields)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidModel(
            f"{folder / CARD_NAME} is not a model card: a field is missing, wrong or unknown",
            _ADVICE,
        ) from error


def read_weights(path: Path, card: ModelCard) -> bytes:
    """Read the weights whose hash a card holds; the card of int8 weights is `ModelCard.int8`.

    Raises:
        InvalidModel: the file is missing or unreadable, or has another hash.
    """
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise _no_model(path.parent, path.name) from error
    if hashlib.sha256(weights).hexdigest() != card.weights_sha256:
        raise InvalidModel(
            f"{path} is not the file that {CARD_NAME} describes: its SHA-256 differs", _ADVICE
        )
    return weights


def write_model(
    folder: Path, card: ModelCard, weights: bytes, int8_weights: bytes | None = None
) -> None:
    """Write all files, the card last.

    A stop in between leaves the model that was there if it has the same weights, such as one that
    gets other cutoffs or weights of int8, and no valid model otherwise.

    Args:
        folder: must exist.
        card: has a card `int8` if and only if `int8_weights` are given.
        weights: the float32 weights.
        int8_weights: the int8 weights.
    """
    if (card.int8 is None) != (int8_weights is None):
        raise ValueError("a card of int8 and weights of int8 go together")
    if not _holds(folder / WEIGHTS_NAME, weights):
        (folder / CARD_NAME).unlink(missing_ok=True)
        write_atomic(folder / WEIGHTS_NAME, weights)
    if int8_weights is not None and not _holds(folder / INT8_WEIGHTS_NAME, int8_weights):
        write_atomic(folder / INT8_WEIGHTS_NAME, int8_weights)
    write_card(folder / CARD_NAME, card)
    if int8_weights is None:
        (folder / INT8_WEIGHTS_NAME).unlink(missing_ok=True)


def _holds(path: Path, content: bytes) -> bool:
    return path.exists() and path.stat().st_size == len(content) and path.read_bytes() == content


def write_card(path: Path, card: ModelCard) -> None:
    """Write a card, and the card of int8 that it holds, as JSON, atomically."""
    write_atomic(path, json.dumps(_fields(card), indent=2, ensure_ascii=False) + "\n")


def _no_model(folder: Path, name: str = WEIGHTS_NAME) -> InvalidModel:
    return InvalidModel(
        f"{folder} does not hold a model: {name} and {CARD_NAME} are needed there", _ADVICE
    )


def _card(fields: dict[str, Any]) -> ModelCard:
    low, high = fields["review_band"]
    int8 = fields.get("int8")
    changed = {
        "review_band": (float(low), float(high)),
        "about": CardAbout.from_json(fields.get("about", {})),
        "int8": None if int8 is None else _card(int8),
        "risk_curves": {
            Head(name): from_json(RiskCurve, curve)
            for name, curve in fields.get("risk_curves", {}).items()
        },
    }
    return ModelCard(**{**fields, **changed})


def _fields(card: ModelCard) -> dict[str, Any]:
    """Return the JSON object of a card; `_card` reads it."""
    fields = {field.name: getattr(card, field.name) for field in dataclasses.fields(card)}
    curves = {str(head): to_json(curve) for head, curve in fields.pop("risk_curves").items()}
    # Of few models; earlier versions know none of these.
    for name in ("thresholds", "second", "second_model_id"):
        if not fields[name]:
            del fields[name]
    return fields | {
        "about": card.about.as_json(),
        "int8": None if card.int8 is None else _fields(card.int8),
        **({"risk_curves": curves} if curves else {}),
    }
