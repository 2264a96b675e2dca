"""Read a file, and encode its header again, by pydicom."""

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
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

from cxrview.errors import CannotOpen, CorruptHeader, TooLarge
from cxrview.image.fetch import content_id
from cxrview.writeback.finding import Finding
from cxrview.writeback.pixel_data import check_pixel_data
from cxrview.writeback.refusals import ChangedSinceClassified, NotProjectionImage, WithoutIdentity

MOST_BYTES = 1 << 31
"""Of one file, as `cxrview classify` reads by default; a file is held in memory."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file, read."""

    dataset: FileDataset
    """The elements before Pixel Data; all of a deflated file."""
    data: bytes
    """All of its bytes."""
    start: int
    """Where Pixel Data begins in them; their end in a deflated file, which is one stream."""


def read_source(finding: Finding) -> Source:
    """Read a file that is to be corrected, within `quiet_pydicom`.

    Args:
        finding: of the file.

    Raises:
        UnreadableImage: the file is missing, changed since it was classified, is signed, or its
            header cannot be written back.
    """
    path = finding.path
    data = _read(path)
    if finding.content_id and content_id(data) != finding.content_id:
        raise ChangedSinceClassified(
            path, "its content is not what was classified", "Classify it again, then write back"
        )
    dataset, start = _parse(path, data)
    _check_identity(path, dataset)
    if transfer_syntax_of(dataset) == DeflatedExplicitVRLittleEndian:
        return Source(dataset=pydicom.dcmread(io.BytesIO(data)), data=data, start=len(data))
    is_implicit, is_little = dataset.original_encoding
    check_pixel_data(path, data, start, is_implicit=bool(is_implicit), is_little=bool(is_little))
    return Source(dataset=dataset, data=data, start=start)


def _read(path: str) -> bytes:
    """The whole file: it is compared, parsed and copied from one reading."""
    try:
        size = os.stat(path).st_size  # noqa: PTH116 (a path may hold odd bytes)
        if size > MOST_BYTES:
            raise TooLarge(path, f"it has {size:,} bytes", "Files of this size are not written")
        return Path(path).read_bytes()
    except OSError as error:
        raise CannotOpen(
            path, f"it cannot be read: {error.strerror}", "Check the path and its permissions"
        ) from error


def _parse(path: str, data: bytes) -> tuple[FileDataset, int]:
    """The header, and where Pixel Data begins."""
    stream = io.BytesIO(data)
    try:
        return pydicom.dcmread(stream, stop_before_pixels=True, force=True), stream.tell()
    except Exception as error:
        # pydicom raises many types on a malformed header; the name of the type holds no value.
        raise CorruptHeader(
            path,
            f"its header cannot be read strictly ({type(error).__name__})",
            "cxrview tolerates it for classification; repair the header before writing back",
        ) from error


def _check_identity(path: str, dataset: FileDataset) -> None:
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


def need_study(path: str, dataset: Dataset) -> None:
    """Refuse an image that no report can refer to.

    Raises:
        WithoutIdentity: it has no Study or Series Instance UID.
    """
    if not (dataset.get("StudyInstanceUID") and dataset.get("SeriesInstanceUID")):
        raise WithoutIdentity(
            path, "it has no Study Instance UID or Series Instance UID", "Export it again"
        )


def encode_header(path: str, dataset: FileDataset) -> bytes:
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
        return encode_dataset(dataset)
    except Exception as error:
        raise CorruptHeader(
            path,
            f"its header cannot be written back ({type(error).__name__})",
            "Repair the header before writing back",
        ) from error


def encode_dataset(dataset: FileDataset) -> bytes:
    """Preamble of zeros, the file meta information of the dataset, and its elements."""
    is_new = dataset.original_encoding == (None, None)
    if is_new or dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian:
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
