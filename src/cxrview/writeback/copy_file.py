"""Write a corrected copy of one DICOM file, Pixel Data byte for byte as it was.

Everything from Pixel Data on is copied as bytes, so that no fragment, offset table or padding can
change.

How a copy is known to be right, though it is not read again: each block is digested between
reading and writing, and a copy whose blocks do not make up the `content_id` that was classified is
dropped. So what was handed to the system to write are the bytes that were classified. That the
system took all of them follows from the return value of each write and from the length of the file
in the end; the header is read back, since its place in the file is the only thing that differs.
Reading the rest back would show no more: those bytes would come from the system's cache, where
they were just written, and not from the disk.
"""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from cxrview.atomic_files import PART
from cxrview.writeback.correct import ElementChange, correct_header
from cxrview.writeback.finding import Finding
from cxrview.writeback.header import check_identity, encode_header, quiet_pydicom
from cxrview.writeback.settings import CorrectionSettings
from cxrview.writeback.source_file import SourceFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was written for one file."""

    source: str
    target: str
    """Empty where nothing was written: a dry run, or a header that needs no change."""
    changes: tuple[ElementChange, ...]
    size: int = 0
    """Of the target in bytes."""


def correct_file(finding: Finding, target: Path, settings: CorrectionSettings) -> Correction:
    """Write the corrected copy of one file.

    Args:
        finding: of the file.
        target: where the copy goes; its folder is created. It appears complete or not at all.
        settings: of the run.

    Raises:
        UnreadableImage: the file is refused; nothing was written.
        OSError: the target cannot be written.
    """
    with SourceFile(finding) as source:
        with quiet_pydicom():
            header = source.header()
            identity = header.needed()
            check_identity(finding.path, identity)
            corrected = correct_header(identity, finding, settings)
            if corrected.changes:
                head = encode_header(header, identity, corrected.elements)
        if not corrected.changes:
            source.check_content()
            return Correction(source=finding.path, target="", changes=())
        rest = source.blocks_from(source.size if header.is_deflated else header.end)
        size = write_whole(target, head, rest)
    return Correction(source=finding.path, target=str(target), changes=corrected.changes, size=size)


def preview_file(finding: Finding, settings: CorrectionSettings) -> Correction:
    """Say what `correct_file` would change; nothing is written.

    Raises:
        UnreadableImage: the file would be refused.
    """
    with SourceFile(finding) as source:
        with quiet_pydicom():
            identity = source.header().needed()
            check_identity(finding.path, identity)
            corrected = correct_header(identity, finding, settings)
        source.check_content()
    return Correction(source=finding.path, target="", changes=corrected.changes)


def write_whole(target: Path, head: bytes, rest: Iterable[memoryview] = ()) -> int:
    """Write a file, which gets its name when it is complete; its folder is created.

    Args:
        target: the file; one that is there is replaced.
        head: its first bytes.
        rest: blocks of those after them. An error that it raises drops the file.

    Returns:
        The size of the file in bytes.

    Raises:
        OSError: it cannot be written, or does not hold what was written.
    """
    part = target.with_name(target.name + PART)
    try:
        file = part.open("wb+", buffering=0)
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("wb+", buffering=0)
    try:
        with file:
            size = _write_all(file, memoryview(head))
            size += sum(_write_all(file, block) for block in rest)
            file.seek(0)
            is_same = file.read(len(head)) == head and os.fstat(file.fileno()).st_size == size
        if not is_same:
            raise OSError(errno.EIO, "the copy does not hold what was written", str(part))
        part.replace(target)
    except BaseException:  # Ctrl-C as well
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    return size


def _write_all(file: FileIO, data: memoryview) -> int:
    written = 0
    while written < len(data):
        written += file.write(data[written:])
    return written
