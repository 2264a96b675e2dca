"""Messages from a worker process: fields as JSON, and raw bytes such as pixels.

Not pickles, since unpickling runs code and the worker has read a file of unknown origin.
"""

import json
import struct
from collections.abc import Mapping
from typing import Any, Protocol

_LENGTHS = struct.Struct("<II")
"""Lengths of the JSON and of the raw bytes."""


class Receiver(Protocol):
    """The reading end of a pipe."""

    def receive(self, length: int, /) -> bytes:
        """Receive `length` bytes; fewer only at the end of the pipe."""


def pack_message(fields: Mapping[str, Any], data: bytes = b"") -> bytes:
    """Serialise a message; `fields` must be what JSON can hold."""
    text = json.dumps(fields).encode()  # ASCII, so that undecodable names are not changed
    return _LENGTHS.pack(len(text), len(data)) + text + data


def receive_message(pipe: Receiver) -> tuple[dict[str, Any], bytes]:
    """Receive one message: its fields and its raw bytes.

    Raises:
        EOFError: the pipe ends before the message does.
    """
    text_length, data_length = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    fields: dict[str, Any] = json.loads(_exactly(pipe, text_length))
    return fields, _exactly(pipe, data_length)


def _exactly(pipe: Receiver, length: int) -> bytes:
    data = pipe.receive(length)
    if len(data) < length:
        raise EOFError
    return data
