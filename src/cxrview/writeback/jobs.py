"""Units of work of a write-back, each carried out in one worker process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydicom.dataset import Dataset

from cxrview.errors import CannotWrite
from cxrview.image.failure import failure_of
from cxrview.records.classification import Failure
from cxrview.writeback.copy_file import Correction, correct_file, preview_file, write_whole
from cxrview.writeback.correct import ElementChange
from cxrview.writeback.finding import Finding
from cxrview.writeback.header import check_identity, encode_new, need_study, quiet_pydicom
from cxrview.writeback.settings import CorrectionSettings
from cxrview.writeback.source_file import SourceFile
from cxrview.writeback.view_codes import CODES

Outcome = Correction | Failure
"""What became of one file."""


class Job(Protocol):
    """Some files whose findings are written together."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the files."""

    @property
    def target(self) -> Path | None:
        """What will be written if all files can be read; None for nothing."""

    def carry_out(self, settings: CorrectionSettings) -> list[Outcome]:
        """One outcome for each file.

        Raises:
            CannotWrite: the disk took no more.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyJob:
    """Write a corrected copy of one file."""

    finding: Finding
    """Its path is absolute."""
    target: Path

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the one file."""
        return (self.finding.path,)

    def carry_out(self, settings: CorrectionSettings) -> list[Outcome]:
        """Write the copy."""
        try:
            return [correct_file(self.finding, self.target, settings)]
        except OSError as error:
            raise _cannot_write(self.target, error) from error
        except Exception as error:  # pydicom raises anything on a header that it does not expect
            return [failure_of(self.finding.path, error)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesJob:
    """List the changes of one file; nothing is written."""

    finding: Finding
    target: None = None

    @property
    def paths(self) -> tuple[str, ...]:
        """Of the one file."""
        return (self.finding.path,)

    def carry_out(self, settings: CorrectionSettings) -> list[Outcome]:
        """Read the header and list what would change."""
        try:
            return [preview_file(self.finding, settings)]
        except Exception as error:  # as above
            return [failure_of(self.finding.path, error)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportJob:
    """Write the structured report of one study."""

    study_instance_uid: str
    findings: tuple[Finding, ...]
    folder: Path

    @property
    def paths(self) -> tuple[str, ...]:
        """Of all images of the study."""
        return tuple(one.path for one in self.findings)

    @property
    def target(self) -> Path:
        """The report of all images; one of fewer images has another name."""
        from cxrview.writeback.structured_report import report_uid

        uid = report_uid(self.study_instance_uid, self.findings, "report")
        return self.folder / f"{uid}.dcm"

    def carry_out(self, settings: CorrectionSettings) -> list[Outcome]:
        """Write one report of the images that can be read; the others are failures."""
        from cxrview.writeback.structured_report import ImageFinding, make_report

        outcomes: list[Outcome] = []
        images: list[ImageFinding] = []
        with quiet_pydicom():
            for one in self.findings:
                try:
                    header = _complete_header(one)
                except Exception as error:  # as above
                    outcomes.append(failure_of(one.path, error))
                else:
                    images.append(ImageFinding(finding=one, header=header))
            if not images:
                return outcomes
            try:
                report = make_report(
                    images, version=settings.software_version, moment=settings.modified
                )
                content = encode_new(report)
            except Exception as error:  # highdicom, likewise
                return outcomes + [failure_of(one.finding.path, error) for one in images]
        target = self.folder / f"{report.SOPInstanceUID}.dcm"
        try:
            size = write_whole(target, content)
        except OSError as error:
            raise _cannot_write(target, error) from error
        return outcomes + [_reported(one.finding, target, size) for one in images]


def _complete_header(finding: Finding) -> Dataset:
    """All elements of an image to which a report can refer."""
    with SourceFile(finding) as source:
        header = source.header().complete()
        check_identity(finding.path, header)
        need_study(finding.path, header)
        source.check_content()
    return header


def _reported(finding: Finding, target: Path, size: int) -> Correction:
    value, _ = CODES[finding.projection or finding.view]
    change = ElementChange(tag="(0040,A730)", keyword="ContentSequence", old="", new=f"{value} SCT")
    return Correction(source=finding.path, target=str(target), changes=(change,), size=size)


def _cannot_write(target: Path, error: OSError) -> CannotWrite:
    return CannotWrite(
        f"{target} cannot be written: {error.strerror}",
        "Free space there or choose another --out, then continue with --resume",
    )
