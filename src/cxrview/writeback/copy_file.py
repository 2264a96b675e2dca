"""Write a corrected copy of one DICOM file, Pixel Data byte for byte as it was.

The elements before Pixel Data are read and written by pydicom; everything from Pixel Data on is
copied as bytes, so that no fragment, offset table or padding can change.
"""

import errno
from dataclasses import dataclass
from pathlib import Path

from cxrview.atomic_files import PART
from cxrview.writeback.correct import ElementChange, correct_header
from cxrview.writeback.finding import Finding
from cxrview.writeback.header import encode_header, quiet_pydicom, read_source
from cxrview.writeback.settings import CorrectionSettings

_BLOCK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What was written for one file."""

    source: str
    target: str
    """Empty where nothing was written: a dry run, or a header that needs no change."""
    changes: tuple[ElementChange, ...]


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
    with quiet_pydicom():
        source = read_source(finding)
        changes = correct_header(source.dataset, finding, settings)
        if not changes:
            return Correction(source=finding.path, target="", changes=())
        head = encode_header(finding.path, source.dataset)
    write_verified(target, head, memoryview(source.data)[source.start :])
    return Correction(source=finding.path, target=str(target), changes=changes)


def preview_file(finding: Finding, settings: CorrectionSettings) -> Correction:
    """Say what `correct_file` would change; nothing is written.

    Raises:
        UnreadableImage: the file would be refused.
    """
    with quiet_pydicom():
        changes = correct_header(read_source(finding).dataset, finding, settings)
    return Correction(source=finding.path, target="", changes=changes)


def write_verified(target: Path, head: bytes, rest: memoryview = memoryview(b"")) -> None:  # noqa: B008 (immutable)
    """Write a file and read it again before it gets its name; its folder is created.

    Args:
        target: the file; one that is there is replaced.
        head: its first bytes.
        rest: those after them.

    Raises:
        OSError: it cannot be written, or does not hold what was written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + PART)
    with part.open("wb") as file:
        file.write(head)
        file.write(rest)
    at = 0
    with part.open("rb") as file:
        is_same = file.read(len(head)) == head
        while is_same and (block := file.read(_BLOCK_BYTES)):
            is_same = block == rest[at : at + len(block)].tobytes()
            at += len(block)
    if not is_same or at != len(rest):
        raise OSError(errno.EIO, "the copy does not hold what was written", str(part))
    part.replace(target)
