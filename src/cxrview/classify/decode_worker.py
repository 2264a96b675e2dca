"""The decode worker: a path in, a square of pixels and header facts out, one file at a time.

`decode_process` starts it as `python -m cxrview.classify.decode_worker`. If a file crashes it,
hangs it or exhausts its memory, that costs the one file.
"""

import os
import pickle
import struct
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import IO

from cxrview.classify.chest_rule import ChestRule, load_chest_rule
from cxrview.classify.read_settings import ReadSettings
from cxrview.classify.wire import DecodedImage, pack
from cxrview.image import open_image
from cxrview.image.failure import read_or_failure
from cxrview.records.classification import Failure
from cxrview.workers.memory import limit_memory, tune_malloc
from cxrview.workers.process import READY, connect_to_parent
from cxrview.workers.rate_limit import size_of

JOB = struct.Struct("<I??")
"""Header of each job that the parent sends: the length of the path, whether to send the file's size
and wait before the file is opened, and whether to wait for a core before it is decoded."""
SIZE = struct.Struct("<Q")
"""Size of the file in bytes; 0 if it is unknown."""
OPENED, CLOSED, GO = b"o", b"c", b"g"
"""The worker has opened the file and waits for a core; the file failed or is skipped, and the
outcome follows; the parent's answer to either wait."""
_MEMORY_ADVICE = "Give workers more with --memory-limit if the file is sound"


def read_file(
    path: str,
    settings: ReadSettings,
    rule: ChestRule,
    wait: Callable[[], None] = lambda: None,
) -> DecodedImage | Failure:
    """Decode one file to the model's square; every error becomes a failure.

    Args:
        path: of the file.
        settings: how it is read.
        rule: which files are skipped by their header.
        wait: called when the file is open, before its pixels are decoded.
    """
    return read_or_failure(
        path, lambda: _decode(path, settings, rule, wait), memory_advice=_MEMORY_ADVICE
    )


def _decode(
    path: str, settings: ReadSettings, rule: ChestRule, wait: Callable[[], None]
) -> DecodedImage:
    file = open_image(path, settings.options, settings.patient_key, side=settings.side)
    reason = rule.reason_to_skip(file.instance) if settings.skip else None
    if reason:
        return DecodedImage(instance=file.instance, warnings=file.warnings, skip_reason=reason)
    wait()
    radiograph = file.decode_square(settings.side)
    return DecodedImage(
        instance=radiograph.instance,
        warnings=radiograph.warnings,
        is_constant=radiograph.is_constant,
        pixels=radiograph.pixels,
    )


def main() -> None:
    """Serve the parent until it closes the pipe."""
    warnings.simplefilter("ignore")  # those of pydicom quote header values
    settings: ReadSettings = pickle.load(sys.stdin.buffer)  # from our own parent
    settings = replace(settings, options=replace(settings.options, is_mapped=True))
    rule = load_chest_rule(settings.chest_rule)
    for decoders in ("dicom.file", "raster"):  # now, so that the first file does not take longer
        import_module(f"cxrview.image.{decoders}")
    inbox, outbox = connect_to_parent()
    tune_malloc()
    limit_memory(settings.memory_bytes)
    outbox.write(READY)
    outbox.flush()
    while job := inbox.read(JOB.size):
        length, tells_size, waits = JOB.unpack(job)
        path = os.fsdecode(inbox.read(length))
        if tells_size:
            outbox.write(SIZE.pack(size_of(path)))
            outbox.flush()
            inbox.read(len(GO))
        core = _Core(inbox, outbox) if waits else None
        outcome = pack(read_file(path, settings, rule, core.wait if core else lambda: None))
        outbox.write(CLOSED + outcome if core and not core.is_held else outcome)
        outbox.flush()


class _Core:
    """A core that the parent lends for one file."""

    def __init__(self, inbox: IO[bytes], outbox: IO[bytes]) -> None:
        self._inbox, self._outbox = inbox, outbox
        self.is_held = False

    def wait(self) -> None:
        """Report that the file is open, and wait for a core to decode it on."""
        self._outbox.write(OPENED)
        self._outbox.flush()
        self._inbox.read(len(GO))
        self.is_held = True


if __name__ == "__main__":
    main()
