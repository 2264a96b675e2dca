"""Writes drawn pixels as DICOM, with the headers of an export from an archive.

All values are visibly invented: patients are called Phantom, machines come from Phantom Works.
Identifiers are derived from the seed, so that the same seed gives the same bytes.
"""

import io
import uuid
from dataclasses import dataclass

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID

from cxrview.phantom.encode import Syntax, find_syntax, native_bytes
from cxrview.phantom.patient import Patient
from cxrview.terms import Projection, View

CR_STORAGE = "1.2.840.10008.5.1.4.1.1.1"
DX_STORAGE = "1.2.840.10008.5.1.4.1.1.1.1"
REPORT_STORAGE = "1.2.840.10008.5.1.4.1.1.88.11"
PATIENT_NAME = "Phantom^Thorax"
MANUFACTURER = "Phantom Works"

VIEW_CODES = {
    Projection.PA: ("272479007", "postero-anterior"),
    Projection.AP: ("399348003", "antero-posterior"),
    Projection.LL: ("399173006", "left lateral"),
    Projection.RL: ("399198007", "right lateral"),
}
"""View Code Sequence (0054,0220): SNOMED CT code and meaning (PS3.16 CID 4010)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One exposure of one patient, and its encoding."""

    patient: Patient
    projection: Projection
    archive_seed: int
    """Part of every identifier, so that two archives have different ones."""
    series: int = 1
    """Number within the patient's one study, from 1."""
    bits: int = 12
    """Bits that `pixels` use, 1 to 16."""
    pixel_mm: float = 0.42
    is_digital: bool = False
    """Digital X-Ray (DX) with a coded view, instead of Computed Radiography (CR)."""
    is_monochrome1: bool = False

    @property
    def view(self) -> View:
        """The true view."""
        return self.projection.view


def synthetic_uid(*names: object) -> str:
    """Derive a UID from names: 2.25 and a UUID as a number (PS3.5 annex B.2)."""
    name = "/".join(str(part) for part in names)
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'cxrview-phantom/{name}').int}"


def make_instance(pixels: NDArray[np.uint16], shot: Shot, syntax: Syntax) -> Dataset:
    """Make a complete DICOM object with encoded pixels.

    Args:
        pixels: shape (rows, columns), uint16, using `shot.bits` bits, bone bright.
        shot: patient and exposure.
        syntax: encoding; it may store fewer bits.
    """
    dataset = Dataset()
    dataset.file_meta = _file_meta(shot, syntax)
    _add_patient_and_study(dataset, shot)
    _add_series(dataset, shot)
    if shot.is_digital:
        _add_digital_modules(dataset, shot)
    _add_image(dataset, shot)
    add_pixels(dataset, pixels, shot, syntax)
    return dataset


def add_pixels(dataset: Dataset, pixels: NDArray[np.uint16], shot: Shot, syntax: Syntax) -> None:
    """Set the Image Pixel module (PS3.3 C.7.6.3) and the elements about lossy compression."""
    kept = min(shot.bits, syntax.most_bits)
    values = (pixels >> (shot.bits - kept)).astype(np.uint16)
    if shot.is_monochrome1:
        values = (2**kept - 1 - values).astype(np.uint16)
    stored = syntax.bits_stored(shot.bits)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if shot.is_monochrome1 else "MONOCHROME2"
    dataset.Rows, dataset.Columns = values.shape
    dataset.BitsAllocated = 8 if stored <= 8 else 16
    dataset.BitsStored = stored
    dataset.HighBit = stored - 1
    dataset.PixelRepresentation = 0
    dataset.WindowCenter = 2 ** (kept - 1)
    dataset.WindowWidth = 2**kept
    dataset.LossyImageCompression = "01" if syntax.lossy_method else "00"
    if syntax.encode is None:
        raw = native_bytes(values, stored, big_endian=syntax.name == "big-endian")
        dataset.PixelData = raw
    else:
        stream = syntax.encode(values, stored)
        dataset.PixelData = encapsulate([stream])
        if syntax.lossy_method:
            ratio = values.size * dataset.BitsAllocated / 8 / len(stream)
            dataset.LossyImageCompressionRatio = round(ratio, 2)
            dataset.LossyImageCompressionMethod = syntax.lossy_method
    dataset["PixelData"].VR = "OB" if syntax.encode or stored <= 8 else "OW"


def make_report(shot: Shot) -> Dataset:
    """Make a Basic Text SR without pixels, of the same patient and study (PS3.3 A.35.1)."""
    dataset = Dataset()
    meta = _file_meta(shot, find_syntax("native"))
    meta.MediaStorageSOPClassUID = UID(REPORT_STORAGE)
    meta.MediaStorageSOPInstanceUID = UID(_shot_uid(shot, "report"))
    dataset.file_meta = meta
    _add_patient_and_study(dataset, shot)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.Modality = "SR"
    dataset.Manufacturer = MANUFACTURER
    dataset.SeriesInstanceUID = _shot_uid(shot, "report series")
    dataset.SeriesNumber, dataset.InstanceNumber = 99, 1
    dataset.ContentDate, dataset.ContentTime = dataset.StudyDate, dataset.StudyTime
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    dataset.ValueType = "CONTAINER"
    dataset.ContinuityOfContent = "SEPARATE"
    dataset.ConceptNameCodeSequence = Sequence(
        [_code("18748-4", "Diagnostic imaging report", "LN")]
    )
    finding = Dataset()
    finding.RelationshipType, finding.ValueType = "CONTAINS", "TEXT"
    finding.ConceptNameCodeSequence = Sequence([_code("121071", "Finding", "DCM")])
    finding.TextValue = "A drawn patient without finding."
    dataset.ContentSequence = Sequence([finding])
    return dataset


def to_bytes(dataset: Dataset) -> bytes:
    """Give the bytes of the file: preamble, meta information and data set (PS3.10 section 7)."""
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def _file_meta(shot: Shot, syntax: Syntax) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = UID(DX_STORAGE if shot.is_digital else CR_STORAGE)
    meta.MediaStorageSOPInstanceUID = UID(_shot_uid(shot, "instance"))
    meta.TransferSyntaxUID = UID(syntax.uid)
    meta.ImplementationClassUID = UID(synthetic_uid("implementation"))
    meta.ImplementationVersionName = "CXRVIEW_PHANTOM"
    return meta


def _shot_uid(shot: Shot, level: str) -> str:
    return synthetic_uid(shot.archive_seed, shot.patient.number, shot.series, level)


def _add_patient_and_study(dataset: Dataset, shot: Shot) -> None:
    patient = shot.patient
    number = f"{shot.archive_seed}-{patient.number:04d}"
    day = 1 + patient.number % 28
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.StudyDate = f"200101{day:02d}"
    dataset.StudyTime = "120000"
    dataset.AccessionNumber = f"PH{patient.number:06d}"
    dataset.ReferringPhysicianName = ""
    dataset.PatientName = f"{PATIENT_NAME} {patient.number:04d}"
    dataset.PatientID = f"PHANTOM-{number}"
    dataset.PatientBirthDate = f"{2000 - patient.age}0101"
    dataset.PatientSex = patient.sex
    dataset.PatientAge = f"{patient.age:03d}Y"
    dataset.StudyInstanceUID = synthetic_uid(shot.archive_seed, patient.number, "study")
    dataset.StudyID = f"{patient.number}"
    dataset.StudyDescription = "CHEST 2 VIEWS"
    dataset.InstitutionName = "Drawn Hospital"


def _add_series(dataset: Dataset, shot: Shot) -> None:
    frontal = shot.view is View.FRONTAL
    dataset.Modality = "DX" if shot.is_digital else "CR"
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = "Drawn Detector" if shot.is_digital else "Drawn Plate"
    dataset.SeriesInstanceUID = _shot_uid(shot, "series")
    dataset.SeriesNumber = shot.series
    dataset.SeriesDescription = "CHEST FRONTAL" if frontal else "CHEST LATERAL"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = shot.projection.value
    dataset.Laterality = ""
    dataset.KVP = 120 if frontal else 125
    dataset.DistanceSourceToDetector = 1100 if shot.projection is Projection.AP else 1800
    dataset.ExposureTime = 8 if frontal else 22


def _add_digital_modules(dataset: Dataset, shot: Shot) -> None:
    """Add what Digital X-Ray needs beyond CR (PS3.3 A.26, C.8.11)."""
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageLaterality = "U"
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if shot.is_monochrome1 else -1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.PresentationLUTShape = "INVERSE" if shot.is_monochrome1 else "IDENTITY"
    dataset.DetectorType = "SCINTILLATOR"
    dataset.AnatomicRegionSequence = Sequence([_code("816094009", "Chest")])
    view = _code(*VIEW_CODES[shot.projection])
    view.ViewModifierCodeSequence = Sequence()
    dataset.ViewCodeSequence = Sequence([view])


def _add_image(dataset: Dataset, shot: Shot) -> None:
    across = {Projection.LL: "P", Projection.RL: "A"}.get(shot.projection, "L")
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.InstanceNumber = 1
    dataset.AcquisitionNumber = 1
    dataset.ContentDate, dataset.ContentTime = dataset.StudyDate, dataset.StudyTime
    dataset.PatientOrientation = [across, "F"]
    dataset.BurnedInAnnotation = "NO"
    spacing = f"{shot.pixel_mm:.4f}"
    dataset.ImagerPixelSpacing = [spacing, spacing]


def _code(value: str, meaning: str, scheme: str = "SCT") -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code
