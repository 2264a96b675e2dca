"""The folder of a model: its card, and the weights whose hash the card holds."""

import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path

from cxrview.classify.model import load_model
from cxrview.classify.model_files import CARD_NAME, WEIGHTS_NAME
from cxrview.errors import CxrviewError
from fixtures.posed_model import write_posed_model

_BETWEEN = b"\n\0weights\0\n"


@cache
def seeds() -> tuple[bytes, ...]:
    """A card and weights, separated."""
    with tempfile.TemporaryDirectory() as folder:
        write_posed_model(Path(folder))
        card = (Path(folder) / CARD_NAME).read_bytes()
        weights = (Path(folder) / WEIGHTS_NAME).read_bytes()
    deep = b"[" * 100_000
    return (card + _BETWEEN + weights, deep + _BETWEEN + weights)


def check(data: bytes) -> None:
    """Load the folder, with the hash of the weights in the card where it is a card at all."""
    card, _, weights = data.partition(_BETWEEN)
    try:
        fields = json.loads(card)
        fields["weights_sha256"] = hashlib.sha256(weights).hexdigest()
        card = json.dumps(fields).encode()
    except (ValueError, TypeError, RecursionError, KeyError):
        pass
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / CARD_NAME).write_bytes(card)
        (Path(folder) / WEIGHTS_NAME).write_bytes(weights)
        try:
            model = load_model(folder, device="cpu", precision="fp32")
        except CxrviewError as error:
            assert error.reason
        else:
            assert model.backend.input_side == model.card.input_side
