"""One structured report a study, beside images that stay as they are.

Source: PS3.16 TID 1500 (Measurement Report), by highdicom; PS3.3 A.35.13 (Comprehensive 3D SR).
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from pydicom.dataset import Dataset, FileDataset
from pydicom.valuerep import DA, DT, TM

from cxrview.terms import Projection, View
from cxrview.writeback.finding import Finding
from cxrview.writeback.view_codes import CODES

_UID_NAMES = uuid.UUID("1b6b1a64-6f53-4f3b-9a53-0d7a2b8c7e15")
_REQUIRED = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "StudyID",
    "ReferringPhysicianName",
)
"""Type 2 attributes of the Patient and Study modules: empty where an image lacks them."""
_DATES_AND_TIMES = {"PatientBirthDate": DA, "StudyDate": DA, "StudyTime": TM}
_SEXES = ("M", "F", "O")
"""Enumerated Values of Patient's Sex (PS3.3 C.7.1.1)."""
_OFFSET = re.compile(r"[+-](0\d|1[0-4])[0-5]\d")
"""Timezone Offset From UTC (0008,0201)."""
SERIES_NUMBER = 9001
"""Of the series of reports; images seldom reach it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFinding:
    """A finding, and the header of its image."""

    finding: Finding
    header: Dataset
    """The elements before Pixel Data."""


def report_uid(study_instance_uid: str, findings: Sequence[Finding], kind: str) -> str:
    """A UID that follows from a study and what was found in it.

    Args:
        study_instance_uid: of the study.
        findings: of its images, in any order; empty for a UID of the study alone.
        kind: `report` or `series`.

    Source:
        PS3.5 B.2: 2.25 and a UUID as a decimal number.
    """
    parts = sorted(
        f"{one.sop_instance_uid}:{one.view}:{one.projection or ''}:{one.pfi}:{one.model_id}"
        for one in findings
    )
    name = "/".join([kind, study_instance_uid, *parts])
    return f"2.25.{uuid.uuid5(_UID_NAMES, name).int}"


def make_report(images: Sequence[ImageFinding], *, version: str, moment: datetime) -> FileDataset:
    """Build the report of one study.

    Args:
        images: of one study, at least one; each SOP Instance UID once.
        version: of cxrview.
        moment: of the run, with its offset from UTC: Content Date and Time.

    Returns:
        A Comprehensive 3D SR, complete and unverified.

    Raises:
        ValueError: the images are of several studies.
    """
    import highdicom as hd

    study = str(images[0].header.StudyInstanceUID)
    if any(str(one.header.StudyInstanceUID) != study for one in images):
        raise ValueError("a report is of one study")
    headers = [_with_valid(one.header) for one in images]
    findings = [one.finding for one in images]
    report = hd.sr.Comprehensive3DSR(
        evidence=headers,
        content=_content(images, headers, version),
        series_instance_uid=report_uid(study, (), "series"),
        sop_instance_uid=report_uid(study, findings, "report"),
        series_number=SERIES_NUMBER,
        instance_number=1,
        manufacturer="cxrview",
        is_complete=True,
        is_final=False,
        is_verified=False,
        # Not that of the images, of which highdicom refuses many; pydicom encodes names again.
        specific_character_set="ISO_IR 192",
    )
    report.SeriesDescription = "View of chest radiographs"
    # The offset holds for all dates and times of the object, those copied from the images among
    # them: it can be theirs or none.
    offset = str(images[0].header.get("TimezoneOffsetFromUTC") or "").strip()
    if _OFFSET.fullmatch(offset):
        moment = moment.astimezone(datetime.strptime(offset, "%z").tzinfo)
        report.TimezoneOffsetFromUTC = offset
    # The last item is of highdicom, which takes the current time; before it stands the device of
    # the images.
    report.ContributingEquipmentSequence[-1].ContributionDateTime = DT(f"{moment:%Y%m%d%H%M%S.%f}")
    report.ContentDate = report.InstanceCreationDate = DA(f"{moment:%Y%m%d}")
    report.ContentTime = report.InstanceCreationTime = TM(f"{moment:%H%M%S.%f}")
    return cast(FileDataset, report)


def _content(images: Sequence[ImageFinding], headers: Sequence[Dataset], version: str) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    observer = hd.sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=hd.sr.DeviceObserverIdentifyingAttributes(
            uid=report_uid("", (), f"device {version}"),
            name="cxrview",
            manufacturer_name="cxrview",
            model_name=version,
        ),
    )
    groups = [_group(one, header) for one, header in zip(images, headers, strict=True)]
    return hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(observer_device_context=observer),
        procedure_reported=hd.sr.CodedConcept("399208008", "SCT", "Plain chest X-ray"),
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )


def _group(image: ImageFinding, header: Dataset) -> Any:
    import highdicom as hd

    finding = image.finding
    value, meaning = _code(finding.projection or finding.view)
    view = hd.sr.QualitativeEvaluation(
        name=hd.sr.CodedConcept("111031", "DCM", "Image View"),
        value=hd.sr.CodedConcept(value, "SCT", meaning),
    )
    source = hd.sr.SourceImageForMeasurementGroup.from_source_image(header)
    # The last part of a model's name is the start of the SHA-256 of its weights.
    algorithm = (
        hd.sr.AlgorithmIdentification(
            name=finding.model_id, version=finding.model_id.rpartition("-")[2]
        )
        if finding.model_id
        else None
    )
    measurements = []
    if finding.pfi is not None:
        measurements.append(
            hd.sr.Measurement(
                name=hd.sr.CodedConcept("PFI", "99CXRVIEW", "Probability of a frontal image"),
                value=finding.pfi,
                unit=hd.sr.CodedConcept("%", "UCUM", "Percent"),
                algorithm_id=algorithm if finding.is_of_person else None,
            )
        )
    return hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(
            uid=report_uid(finding.sop_instance_uid, (), "image"), identifier="image view"
        ),
        source_images=[source],
        # The view of a person is not the model's; their PFI still is.
        algorithm_id=None if finding.is_of_person else algorithm,
        measurements=measurements,
        qualitative_evaluations=[view],
    )


def _code(what: View | Projection) -> tuple[str, str]:
    return CODES[what]


def _with_valid(header: Dataset) -> Dataset:
    """Empty values where an image lacks attributes that a report must have, or has wrong ones."""
    for keyword in _REQUIRED:
        if keyword not in header:
            setattr(header, keyword, None)
    if header.PatientSex not in _SEXES:
        header.PatientSex = None
    for keyword, kind in _DATES_AND_TIMES.items():
        try:
            kind(header[keyword].value)
        except (ValueError, TypeError):
            setattr(header, keyword, None)
    return header
