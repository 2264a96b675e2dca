"""Read and write the elements before Pixel Data, by pydicom."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    XRayRadiofluoroscopicImageStorage,
)

from cxrview.errors import CorruptHeader, CxrviewError
from cxrview.image.fetch import file_content_id
from cxrview.writeback.finding import Finding
from cxrview.writeback.refusals import ChangedSinceClassified, NotProjectionImage, WithoutIdentity

IMPLEMENTATION_CLASS_UID = UID("2.25.283745081823098419105316843302876519157")
"""Of cxrview, for the file meta information (PS3.10 section 7.1)."""
_PROJECTION_CLASSES = frozenset(
    {
        ComputedRadiographyImageStorage,
        DigitalXRayImageStorageForPresentation,
        DigitalXRayImageStorageForProcessing,
        XRayRadiofluoroscopicImageStorage,
        SecondaryCaptureImageStorage,
        MultiFrameSingleBitSecondaryCaptureImageStorage,
        MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        MultiFrameTrueColorSecondaryCaptureImageStorage,
    }
)
"""Classes that hold chest radiographs (PS3.4 table B.5-1)."""


def read_header(finding: Finding) -> tuple[FileDataset, int]:
    """Read the elements before Pixel Data.

    Args:
        finding: of the file.

    Returns:
        The header, and where in the file Pixel Data begins: 0 in a deflated file.

    Raises:
        UnreadableImage: the file changed since it was classified, or its header cannot be written
            back.
    """
    path = finding.path
    try:
        if finding.content_id and file_content_id(path) != finding.content_id:
            raise ChangedSinceClassified(
                path,
                "its content is not what was classified",
                "Classify it again, then write back",
            )
        with Path(path).open("rb") as file:
            dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
            start = file.tell()
    except (OSError, CxrviewError):
        raise
    except Exception as error:
        # pydicom raises many types on a malformed header; the name of the type holds no value.
        raise CorruptHeader(
            path,
            f"its header cannot be read strictly ({type(error).__name__})",
            "cxrview tolerates it for classification; repair the header before writing back",
        ) from error
    if not (dataset.get("SOPInstanceUID") and dataset.get("SOPClassUID")):
        raise WithoutIdentity(
            path, "it has no SOP Instance UID or SOP Class UID", "Export it again"
        )
    if dataset.SOPClassUID not in _PROJECTION_CLASSES:
        raise NotProjectionImage(
            path,
            "it is not a CR, DX, RF or secondary capture image",
            "Leave it as it is: the view codes of chest radiographs do not belong there",
        )
    return dataset, start


def write_header(path: str, dataset: FileDataset) -> bytes:
    """Preamble of zeros, new file meta information, and the data set."""
    syntax = transfer_syntax_of(dataset)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = "CXRVIEW"
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128
    try:
        return _encode(dataset)
    except Exception as error:
        raise CorruptHeader(
            path,
            f"its header cannot be written back ({type(error).__name__})",
            "Repair the header before writing back",
        ) from error


def _encode(dataset: FileDataset) -> bytes:
    if dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:
        stream = io.BytesIO()
        pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
        return stream.getvalue()
    # In the encoding that it was read in: pydicom's dcmwrite refuses transfer syntaxes that it
    # does not know.
    buffer = DicomBytesIO()
    buffer.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(buffer, dataset.file_meta, enforce_standard=True)
    is_implicit, is_little = dataset.original_encoding
    buffer.is_implicit_VR, buffer.is_little_endian = bool(is_implicit), bool(is_little)
    write_dataset(buffer, dataset)
    return buffer.getvalue()


def transfer_syntax_of(dataset: FileDataset) -> UID:
    """Of the file meta information, or the encoding that pydicom found where that is missing."""
    if uid := dataset.file_meta.get("TransferSyntaxUID"):
        return UID(uid)
    is_implicit, is_little = dataset.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom from warning about values: its words quote them, and they may name a patient."""
    logger = logging.getLogger("pydicom")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        was_disabled, logger.disabled = logger.disabled, True
        settings = pydicom.config.settings
        before = settings.reading_validation_mode, settings.writing_validation_mode
        settings.reading_validation_mode = pydicom.config.IGNORE
        settings.writing_validation_mode = pydicom.config.IGNORE
        try:
            yield
        finally:
            settings.reading_validation_mode, settings.writing_validation_mode = before
            logger.disabled = was_disabled
