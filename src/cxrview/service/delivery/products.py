"""Make the object that a delivery carries: the original, a corrected copy, or a report."""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydicom.filereader import read_file_meta_info

from cxrview.records.classification import Failure
from cxrview.results.columns import ORIGIN, Row, printable
from cxrview.results.journal import TRANSIENT_CODES
from cxrview.service.configuration import CorrectionOptions
from cxrview.service.delivery.sender import OutgoingObject
from cxrview.service.records import Delivery, Form, ImageState
from cxrview.writeback.finding import Finding, select_findings
from cxrview.writeback.header import quiet_pydicom
from cxrview.writeback.jobs import CopyJob, ReportJob
from cxrview.writeback.refusals import ChangedSinceClassified
from cxrview.writeback.settings import CorrectionSettings


class CannotMake(Exception):
    """The object of a delivery cannot be made, now or later.

    Args:
        reason: in words, without header values.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CannotMakeNow(CannotMake):
    """The object of a delivery cannot be made now, for a reason that may pass."""


class Products:
    """Makes the objects of deliveries.

    The same delivery gives the same bytes and UIDs on every try, so that one that was stored just
    before a crash is stored once.

    Args:
        folder: for copies and reports, which are removed after they were sent.
        options: of the corrections.
    """

    def __init__(self, folder: Path, options: CorrectionOptions) -> None:
        self._folder = folder
        self._settings = CorrectionSettings(
            keep_uid=options.keep_uid,
            deidentified=options.deidentified,
            position=options.position,
        )

    @contextmanager
    def made(self, delivery: Delivery) -> Iterator[OutgoingObject]:
        """Make an object; it is removed at the end of the block unless it is the original.

        Raises:
            CannotMake: this image has no object of this form.
            CannotMakeNow: a file cannot be opened, or memory is short.
            CannotWrite: the disk is full.
        """
        path = self._make(delivery)
        try:
            yield _outgoing(delivery, path)
        finally:
            if path != delivery.path:
                path.unlink(missing_ok=True)

    def _make(self, delivery: Delivery) -> Path:
        if not delivery.path.exists():
            raise CannotMake("its object is not in the queue any more")
        if delivery.form is Form.ORIGINAL:
            return delivery.path
        settings = replace(
            self._settings, modified=datetime.fromtimestamp(delivery.settled_at, UTC)
        )
        if delivery.form is Form.SR:
            return self._report(delivery, settings)
        return self._copy(delivery, settings)

    def _copy(self, delivery: Delivery, settings: CorrectionSettings) -> Path:
        """A corrected copy; the original where nothing is to be or may be corrected."""
        finding = _finding(delivery, with_agreeing=False)
        if finding is None:
            return delivery.path
        target = self._folder / f"{uuid.uuid4().hex}.dcm"
        (outcome,) = CopyJob(finding=finding, target=target).carry_out(settings)
        if isinstance(outcome, Failure):
            _raise_if_transient(outcome)
            if outcome.code == ChangedSinceClassified.code:
                raise CannotMake("its object in the queue was changed")
            return delivery.path
        return target if outcome.target else delivery.path

    def _report(self, delivery: Delivery, settings: CorrectionSettings) -> Path:
        finding = _finding(delivery, with_agreeing=True)
        if finding is None:
            raise CannotMake("there is no view to report")
        folder = self._folder / uuid.uuid4().hex
        job = ReportJob(
            study_instance_uid=finding.study_instance_uid, findings=(finding,), folder=folder
        )
        try:
            (outcome,) = job.carry_out(settings)
            if isinstance(outcome, Failure):
                _raise_if_transient(outcome)
                raise CannotMake(f"no report can be made: {outcome.code}")
            target = self._folder / f"{folder.name}.dcm"
            Path(outcome.target).rename(target)
            return target
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _raise_if_transient(failure: Failure) -> None:
    if failure.code in TRANSIENT_CODES:
        raise CannotMakeNow(f"its object cannot be read now: {failure.code}")


def _finding(delivery: Delivery, *, with_agreeing: bool) -> Finding | None:
    if delivery.state is not ImageState.CLASSIFIED:
        return None
    row: Row = {**delivery.row, "path": printable(str(delivery.path)), ORIGIN: None}
    found = select_findings([row], with_agreeing=with_agreeing).findings
    return found[0] if found else None


def _outgoing(delivery: Delivery, path: Path) -> OutgoingObject:
    try:
        with quiet_pydicom():
            meta = read_file_meta_info(path)
            return OutgoingObject(
                delivery=delivery,
                path=path,
                sop_class_uid=str(meta.MediaStorageSOPClassUID),
                sop_instance_uid=str(meta.MediaStorageSOPInstanceUID),
                transfer_syntax=str(meta.TransferSyntaxUID),
            )
    except OSError as error:
        raise CannotMakeNow("its object cannot be read now") from error
    except Exception as error:  # pydicom raises many types on a malformed header
        raise CannotMake("it is not a DICOM file with file meta information") from error
