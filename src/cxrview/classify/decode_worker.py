"""The process that reads files: a path in, squashed pixels and header facts out, one at a time.

Started clean by `decode_pool` as `python -m cxrview.classify.decode_worker`. Whatever a file
does to it (crash, hang, eat memory) costs that file and nothing else.
"""

import os
import pickle
import struct
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import IO

from cxrview.classify.chest_rule import ChestRule, load_chest_rule
from cxrview.classify.wire import DecodedImage, pack
from cxrview.errors import OutOfMemory, UnreadableImage
from cxrview.image import SIDE, ReadOptions, open_image
from cxrview.image.pseudonyms import pseudonym
from cxrview.records import Failure
from cxrview.workers.memory import tune_malloc
from cxrview.workers.rate_limit import size_of

READY = b"ready\n"
JOB = struct.Struct("<I??")
"""Before each path on the way in: its length, whether to tell the file's size and wait before it
is opened, and whether to wait for a core before it is decoded."""
SIZE = struct.Struct("<Q")
"""Bytes of the file, as far as that can be told."""
PIPE_BYTES = 1 << 18
"""What the way back holds: an outcome whole, so that a worker need not wait for who reads it."""
OPENED, CLOSED, GO = b"o", b"c", b"g"
"""Where it waits: the file is open; it failed or is not needed, the outcome follows; it may go
on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSettings:
    """How a worker reads files."""

    side: int = SIDE
    """Rows and columns that the network takes."""
    options: ReadOptions = ReadOptions()
    memory_bytes: int = 4 << 30
    """How much address space a worker may take beyond what it starts with."""
    key: bytes | None = None
    """Of the patients' pseudonyms; None leaves them out."""
    identify: bool = False
    """Real patient ids in place of pseudonyms."""
    skip: bool = True
    """Leave out what the chest rule excludes."""
    chest_rule: Path | None = None
    """A user's own rule; None for the one in the package."""

    def patient_key(self, patient_id: str) -> str:
        """What may stand in the table for a patient's id."""
        if self.identify:
            return patient_id
        return pseudonym(self.key, patient_id) if self.key else ""


def read_file(
    path: str,
    settings: ReadSettings,
    rule: ChestRule,
    wait: Callable[[], None] = lambda: None,
) -> DecodedImage | Failure:
    """Read, window and squash one file; whatever goes wrong comes back as a failure.

    `wait` is called once the file is open, before its pixels are decoded.
    """
    try:
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
    except UnreadableImage as error:
        return Failure(path=path, code=error.code, reason=error.reason, advice=error.advice)
    except MemoryError:
        return Failure(
            path=path,
            code=OutOfMemory.code,
            reason="reading it needs more memory than a worker may take",
            advice="Give workers more with --memory-limit if the file is sound",
        )
    except (
        Exception
    ) as error:  # the one broad except of the house: a broken file can raise anything
        return Failure(
            path=path,
            code=UnreadableImage.code,
            # Not the message: it may quote a header value.
            reason=f"reading it raised {type(error).__name__}, which nobody foresaw",
            advice="Please report it with the kind of file, not the file itself",
        )


def main() -> None:
    """Serve the parent until it closes the pipe."""
    inbox = sys.stdin.buffer
    warnings.simplefilter("ignore")  # pydicom's quote header values
    settings: ReadSettings = pickle.load(inbox)  # of our own parent
    settings = replace(settings, options=replace(settings.options, is_mapped=True))
    rule = load_chest_rule(settings.chest_rule)
    for decoders in ("dicom.file", "raster"):  # now, and not in the time of the first file
        import_module(f"cxrview.image.{decoders}")
    outbox = _private_stdout()
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
    """One that the parent lends for one file."""

    def __init__(self, inbox: IO[bytes], outbox: IO[bytes]) -> None:
        self._inbox, self._outbox = inbox, outbox
        self.is_held = False

    def wait(self) -> None:
        """Say that the file is open, and wait until there is a core to decode it on."""
        self._outbox.write(OPENED)
        self._outbox.flush()
        self._inbox.read(len(GO))
        self.is_held = True


def _private_stdout() -> IO[bytes]:
    """Keep the pipe for results; what decoders print goes nowhere, since it may quote a header."""
    results = os.fdopen(os.dup(1), "wb")
    with suppress(ImportError, AttributeError, OSError):  # Linux alone can, and may refuse
        import fcntl

        fcntl.fcntl(results, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return results


def limit_memory(more: int) -> None:
    """Allow this process so many bytes of address space beyond what it takes now."""
    statm = Path("/proc/self/statm")
    if not statm.exists():  # other systems than Linux neither tell nor enforce it
        return
    import resource

    taken = int(statm.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + more, taken + more))


if __name__ == "__main__":
    main()
