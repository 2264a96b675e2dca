"""Wire format of the outcome that a decode worker sends for one file."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.records.classification import Failure, Instance
from cxrview.terms import View
from cxrview.workers.message import Receiver, pack_message, receive_message


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedImage:
    """One decoded file: header facts and, unless it is skipped, the model's square."""

    instance: Instance
    warnings: tuple[str, ...]
    skip_reason: str | None = None
    is_constant: bool = False
    pixels: NDArray[np.uint8] | None = None
    """Shape (side, side), uint8; None if the file is skipped."""


Decoded = DecodedImage | Failure


def pack(outcome: Decoded) -> bytes:
    """Serialise an outcome as fields and raw pixels."""
    if isinstance(outcome, Failure):
        return pack_message({"failure": dataclasses.asdict(outcome)})
    fields = {
        "instance": dataclasses.asdict(outcome.instance),
        "warnings": outcome.warnings,
        "skip_reason": outcome.skip_reason,
        "is_constant": outcome.is_constant,
    }
    return pack_message(fields, b"" if outcome.pixels is None else outcome.pixels.tobytes())


def unpack(pipe: Receiver) -> Decoded:
    """Receive one outcome.

    Raises:
        EOFError: the pipe ends before the outcome does.
    """
    fields, pixels = receive_message(pipe)
    if "failure" in fields:
        return Failure(**fields["failure"])
    instance = fields["instance"]
    view = instance["header_view"]
    return DecodedImage(
        instance=Instance(**{**instance, "header_view": View(view) if view else None}),
        warnings=tuple(fields["warnings"]),
        skip_reason=fields["skip_reason"],
        is_constant=fields["is_constant"],
        pixels=_square(pixels) if pixels else None,
    )


def _square(pixels: bytes) -> NDArray[np.uint8]:
    side = int(len(pixels) ** 0.5)
    return np.frombuffer(pixels, np.uint8).reshape(side, side)
