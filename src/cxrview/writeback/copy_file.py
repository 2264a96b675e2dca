"""Write a corrected copy of one DICOM file, Pixel Data byte for byte as it was.

The elements before Pixel Data are read and written by pydicom; everything from Pixel Data on is
copied as bytes, so that no fragment, offset table or padding can change.
"""

from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cxrview.atomic_files import atomic_path
from cxrview.writeback.correct import ElementChange, correct_header
from cxrview.writeback.finding import Finding
from cxrview.writeback.header import quiet_pydicom, read_header, transfer_syntax_of, write_header
from cxrview.writeback.pixel_data import append_from, check_pixel_data, have_same_end
from cxrview.writeback.refusals import ChangedSinceClassified
from cxrview.writeback.settings import CorrectionSettings


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
        return _correct(finding, target, settings)


def preview_file(finding: Finding, settings: CorrectionSettings) -> Correction:
    """Say what `correct_file` would change; nothing is written.

    Raises:
        UnreadableImage: the file would be refused.
    """
    with quiet_pydicom():
        dataset, start = read_header(finding)
        if not _is_deflated(dataset):
            check_pixel_data(finding.path, dataset, start)
        changes = correct_header(dataset, finding, settings)
    return Correction(source=finding.path, target="", changes=changes)


def _correct(finding: Finding, target: Path, settings: CorrectionSettings) -> Correction:
    dataset, start = read_header(finding)
    is_deflated = _is_deflated(dataset)
    if is_deflated:  # one stream from the first element to the last: pydicom writes all of it
        dataset = pydicom.dcmread(finding.path)
    else:
        check_pixel_data(finding.path, dataset, start)
    changes = correct_header(dataset, finding, settings)
    if not changes:
        return Correction(source=finding.path, target="", changes=())
    head = write_header(finding.path, dataset)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(target) as part:
        with part.open("wb") as out:
            out.write(head)
            if not is_deflated:
                append_from(finding.path, start, out)
        if not is_deflated and not have_same_end(finding.path, start, part, len(head)):
            raise ChangedSinceClassified(
                finding.path, "it changed while it was copied", "Classify it again, then write back"
            )
    return Correction(source=finding.path, target=str(target), changes=changes)


def _is_deflated(dataset: FileDataset) -> bool:
    return transfer_syntax_of(dataset) == DeflatedExplicitVRLittleEndian
