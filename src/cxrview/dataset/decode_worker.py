"""The worker process of `decode_pool`: paths in, outcomes of `squash_file` out, one at a time.

`decode_pool` starts it as `python -m cxrview.dataset.decode_worker`.
"""

import dataclasses
import os
import struct
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

from cxrview.dataset.decode import Squashed, squash_file
from cxrview.records.classification import Failure
from cxrview.records.dataset import HeaderFacts
from cxrview.terms import View
from cxrview.workers.memory import tune_malloc
from cxrview.workers.message import pack_message, receive_message
from cxrview.workers.process import READY, DeadlineReader, connect_to_parent

AS_PUBLISHED, PLAIN = b"p", b"n"
"""The setting that the parent sends first: see `squash_file`."""
LENGTH = struct.Struct("<I")
"""Header of each job: the length of the path."""


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
    """Serialise an outcome as fields and raw pixels."""
    if isinstance(outcome, Failure):
        return pack_message({"failure": dataclasses.asdict(outcome)})
    fields = {
        "shape": outcome.pixels.shape,
        "file_sha256": outcome.file_sha256,
        "pixel_sha256": outcome.pixel_sha256,
        "warnings": outcome.warnings,
        "header": dataclasses.asdict(outcome.header) if outcome.header else None,
    }
    return pack_message(fields, outcome.pixels.tobytes())


def unpack(pipe: DeadlineReader) -> Squashed | Failure:
    """Receive one outcome.

    Raises:
        EOFError: the pipe ends before the outcome does.
        TimeoutError: the deadline has passed.
    """
    fields, pixels = receive_message(pipe)
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


if __name__ == "__main__":
    main()
