"""The worker process of `decode_pool`: paths in, outcomes of `squash_file` out, one at a time.

`decode_pool` starts it as `python -m cxrview.dataset.decode_worker`.
"""

import dataclasses
import json
import os
import struct
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from cxrview.dataset.decode import Squashed, squash_file
from cxrview.records.classification import Failure
from cxrview.records.dataset import HeaderFacts
from cxrview.terms import View
from cxrview.workers.memory import tune_malloc
from cxrview.workers.process import READY, DeadlineReader, connect_to_parent

AS_PUBLISHED, PLAIN = b"p", b"n"
"""The setting that the parent sends first: see `squash_file`."""
LENGTH = struct.Struct("<I")
"""Header of each job: the length of the path."""
LENGTHS = struct.Struct("<II")
"""Header of each outcome: the lengths of its JSON and of its pixels."""


def main() -> None:
    """Serve the parent until it closes the pipe."""
    as_published = sys.stdin.buffer.read(len(PLAIN)) == AS_PUBLISHED
    for decoders in ("dicom.file", "raster"):  # now, so that an error is reported at the start
        import_module(f"cxrview.image.{decoders}")
    inbox, outbox = connect_to_parent()
    tune_malloc()
    outbox.write(READY)
    outbox.flush()
    while job := inbox.read(LENGTH.size):
        path = os.fsdecode(inbox.read(*LENGTH.unpack(job)))
        outbox.write(pack(squash_file(Path(path), as_published=as_published)))
        outbox.flush()


def pack(outcome: Squashed | Failure) -> bytes:
    """Serialise an outcome as JSON and raw pixels.

    Not as a pickle, since unpickling runs code and the worker has read a file of unknown origin.
    """
    if isinstance(outcome, Failure):
        fields: dict[str, Any] = {"failure": dataclasses.asdict(outcome)}
        pixels = b""
    else:
        fields = {
            "shape": outcome.pixels.shape,
            "file_sha256": outcome.file_sha256,
            "pixel_sha256": outcome.pixel_sha256,
            "warnings": outcome.warnings,
            "header": dataclasses.asdict(outcome.header) if outcome.header else None,
        }
        pixels = outcome.pixels.tobytes()
    text = json.dumps(fields).encode()  # ASCII, so that undecodable names are not changed
    return LENGTHS.pack(len(text), len(pixels)) + text + pixels


def unpack(pipe: DeadlineReader) -> Squashed | Failure:
    """Receive one outcome.

    Raises:
        EOFError: the pipe ends before the outcome does.
        TimeoutError: the deadline has passed.
    """
    text_length, pixel_length = LENGTHS.unpack(_exactly(pipe, LENGTHS.size))
    fields = json.loads(_exactly(pipe, text_length))
    pixels = _exactly(pipe, pixel_length)
    if "failure" in fields:
        return Failure(**fields["failure"])
    header = fields["header"]
    if header:
        view = header["view"]
        header = HeaderFacts(**{**header, "view": View(view) if view else None})
    return Squashed(
        pixels=np.frombuffer(pixels, np.uint8).reshape(fields["shape"]),
        file_sha256=fields["file_sha256"],
        pixel_sha256=fields["pixel_sha256"],
        warnings=tuple(fields["warnings"]),
        header=header,
    )


def _exactly(pipe: DeadlineReader, length: int) -> bytes:
    data = pipe.receive(length)
    if len(data) < length:
        raise EOFError
    return data


if __name__ == "__main__":
    main()
