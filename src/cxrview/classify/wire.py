"""Wire format of the outcome that a decode worker sends for one file."""

import dataclasses
import json
import struct
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cxrview.records.classification import Failure, Instance
from cxrview.terms import View

_LENGTHS = struct.Struct("<II")


class Receiver(Protocol):
    """The reading end of a pipe."""

    def receive(self, length: int, /) -> bytes:
        """Receive `length` bytes; fewer only at the end of the pipe."""


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
    """Serialise an outcome as JSON and raw pixels.

    Not as a pickle, since unpickling runs code and the worker has read a file of unknown origin.
    """
    if isinstance(outcome, Failure):
        fields: dict[str, Any] = {"failure": dataclasses.asdict(outcome)}
        pixels = b""
    else:
        fields = {
            "instance": dataclasses.asdict(outcome.instance),
            "warnings": outcome.warnings,
            "skip_reason": outcome.skip_reason,
            "is_constant": outcome.is_constant,
        }
        pixels = b"" if outcome.pixels is None else outcome.pixels.tobytes()
    text = json.dumps(fields).encode()  # ASCII, so that undecodable names are not changed
    return _LENGTHS.pack(len(text), len(pixels)) + text + pixels


def unpack(pipe: Receiver) -> Decoded:
    """Receive one outcome.

    Raises:
        EOFError: the pipe ends before the outcome does.
    """
    text_length, pixel_length = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    fields = json.loads(_exactly(pipe, text_length))
    pixels = _exactly(pipe, pixel_length)
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


def _exactly(pipe: Receiver, length: int) -> bytes:
    data = pipe.receive(length)
    if len(data) < length:
        raise EOFError
    return data


def _square(pixels: bytes) -> NDArray[np.uint8]:
    side = int(len(pixels) ** 0.5)
    return np.frombuffer(pixels, np.uint8).reshape(side, side)
