"""Read the header of a file, and write it again with other elements in place of some.

Elements that do not change are copied as bytes: private and unknown ones, texts in any character
set and values that break the rules of their representation stay as they are. The few elements that
a correction reads or writes are converted by pydicom.
"""

import io
import logging
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pydicom
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
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

from cxrview.errors import CorruptHeader
from cxrview.image.dicom.parse import inflate
from cxrview.image.limits import Limits
from cxrview.writeback.element_encoding import ElementEncoder, encode_meta
from cxrview.writeback.element_spans import (
    LONG_VRS,
    SHORT_VRS,
    ElementReader,
    Incomplete,
    Malformed,
)
from cxrview.writeback.refusals import NotProjectionImage, WithoutIdentity

NEEDED_TAGS = (
    0x00080005,  # Specific Character Set
    0x00080016,  # SOP Class UID
    0x00080018,  # SOP Instance UID
    0x00082112,  # Source Image Sequence
    0x00181508,  # Positioner Type
    0x00185101,  # View Position
    0x0018A001,  # Contributing Equipment Sequence
    0x00540220,  # View Code Sequence
    0x04000561,  # Original Attributes Sequence
)
"""What a correction reads."""
_REPAIR = "cxrview tolerates it for classification; repair the header before writing back"
_TRANSFER_SYNTAX = 0x00020010
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
class Header:
    """The elements of a file before Pixel Data, as bytes."""

    path: str
    data: bytes
    """The first bytes of the file; of a deflated one, all of its data set, inflated."""
    spans: dict[int, tuple[int, int]]
    """Where each element begins and ends in `data`, by tag."""
    end: int
    """Where Pixel Data begins in `data`."""
    transfer_syntax: UID
    """Of the file meta information, or the encoding where that is missing."""
    is_implicit: bool
    is_little: bool

    @property
    def is_deflated(self) -> bool:
        """Whether the data set is one deflated stream (PS3.5 A.5)."""
        return self.transfer_syntax == DeflatedExplicitVRLittleEndian

    def needed(self) -> Dataset:
        """The elements of `NEEDED_TAGS`, for pydicom.

        Raises:
            CorruptHeader: one of them cannot be read, or is a single value instead of a sequence.
        """
        data = b"".join(
            self.data[slice(*self.spans[tag])] for tag in NEEDED_TAGS if tag in self.spans
        )
        with self._strictly():
            # Read twice: pydicom replaces bytes by values while this loop converts all of them,
            # and a correction needs the bytes.
            vrs = {element.tag: element.VR for element in self._read(data)}
            dataset = self._read(data)
        for tag, vr in vrs.items():
            if (vr == "SQ") != (dictionary_VR(tag) == "SQ"):
                raise CorruptHeader(
                    self.path,
                    f"{keyword_for_tag(tag)} has the value representation {vr}",
                    _REPAIR,
                )
        return dataset

    def complete(self) -> Dataset:
        """All elements before Pixel Data, for pydicom."""
        data = b"".join(self.data[slice(*span)] for _, span in sorted(self.spans.items()))
        with self._strictly():
            return self._read(data)

    def _read(self, data: bytes) -> Dataset:
        return read_dataset(io.BytesIO(data), self.is_implicit, self.is_little)

    @contextmanager
    def _strictly(self) -> Iterator[None]:
        """Refuse what pydicom cannot read."""
        try:
            yield
        except Exception as error:
            # pydicom raises many types on a malformed value; the name of the type holds no value.
            raise CorruptHeader(
                self.path, f"its header cannot be read strictly ({type(error).__name__})", _REPAIR
            ) from error


def parse_header(path: str, data: bytes, *, is_all: bool) -> Header:
    """Find the elements in the first bytes of a file.

    Args:
        path: of the file, for errors.
        data: its first bytes.
        is_all: whether these are all of them; a deflated file is read only then.

    Raises:
        Incomplete: more bytes are needed, and there are more.
        UnreadableImage: its header is malformed, or it has no Pixel Data.
    """
    try:
        begin, syntax = _read_meta(data)
        if syntax == DeflatedExplicitVRLittleEndian:
            if not is_all:
                raise Incomplete
            data, begin = inflate(path, memoryview(data)[begin:], Limits()), 0
        first = data[begin : begin + 8]
        is_implicit = first[4:6] not in LONG_VRS | SHORT_VRS
        is_little = _is_little(first, syntax, is_implicit=is_implicit)
        reader = ElementReader(data, is_implicit=is_implicit, is_little=is_little)
        spans, end = reader.spans(begin)
    except Incomplete:
        if not is_all:
            raise
        raise _malformed(path) from None
    except Malformed:
        raise _malformed(path) from None
    return Header(
        path=path,
        data=data,
        spans=spans,
        end=end,
        transfer_syntax=syntax or _syntax_of(is_implicit, is_little),
        is_implicit=is_implicit,
        is_little=is_little,
    )


def _read_meta(data: bytes) -> tuple[int, UID]:
    """Where the data set begins, and the transfer syntax, which is empty where it is missing.

    The file meta information ends with the last element of group 0002: its group length is often
    wrong, and some files have neither preamble nor meta information.
    """
    at = 132 if data[128:132] == b"DICM" else 0
    reader = ElementReader(data, is_implicit=False, is_little=True)
    syntax = UID("")
    while data[at : at + 2] == b"\x02\x00":
        tag, begin, length = reader.head(at)
        at = begin + length
        if at > len(data):
            raise Incomplete
        if tag == _TRANSFER_SYNTAX:
            syntax = UID(data[begin:at].decode("latin-1").strip("\0 "))
    return at, syntax


def _is_little(first: bytes, syntax: UID, *, is_implicit: bool) -> bool:
    if syntax:
        return syntax != ExplicitVRBigEndian
    # Group 0008 of a big endian file, read as little endian, is 0800.
    return is_implicit or int.from_bytes(first[:2], "little") < 0x0400


def _syntax_of(is_implicit: bool, is_little: bool) -> UID:
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian


def _malformed(path: str) -> CorruptHeader:
    return CorruptHeader(
        path, "its header is malformed before Pixel Data", "Repair or export it again"
    )


def check_identity(path: str, dataset: Dataset) -> None:
    """Refuse an image that has no identity, or is not a projection radiograph.

    Raises:
        UnreadableImage: it is such an image.
    """
    if not (_is_uid(dataset.get("SOPInstanceUID")) and _is_uid(dataset.get("SOPClassUID"))):
        raise WithoutIdentity(
            path, "it has no SOP Instance UID or SOP Class UID, or several", "Export it again"
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
    if not (_is_uid(dataset.get("StudyInstanceUID")) and _is_uid(dataset.get("SeriesInstanceUID"))):
        raise WithoutIdentity(
            path,
            "it has no Study Instance UID or Series Instance UID, or several",
            "Export it again",
        )


def _is_uid(value: object) -> bool:
    """Whether a value is one text; that of a UID may be several, or a number, in a broken file."""
    return isinstance(value, str) and bool(value)


def encode_header(header: Header, identity: Dataset, elements: Dataset) -> bytes:
    """Encode a header again, with other elements in place of some.

    Args:
        header: of the source.
        identity: with SOP Class UID, and SOP Instance UID where `elements` has none.
        elements: those that are added or replaced.

    Returns:
        A preamble of zeros, new file meta information, and the elements in the order of their
        tags; group lengths, which are retired, are left out. Of a deflated file, all of the file.

    Raises:
        CorruptHeader: an element cannot be written again.
    """
    try:
        meta = encode_meta(
            header.transfer_syntax,
            identity.SOPClassUID,
            elements.get("SOPInstanceUID") or identity.SOPInstanceUID,
        )
        encoder = ElementEncoder(is_implicit=header.is_implicit, is_little=header.is_little)
        encoded = {tag: header.data[slice(*span)] for tag, span in header.spans.items()}
        encoded |= encoder.by_tag(elements)
    except Exception as error:
        # As in `_strictly`: pydicom raises many types, and their words quote values.
        raise CorruptHeader(
            header.path,
            f"its header cannot be written back ({type(error).__name__})",
            "Repair the header before writing back",
        ) from error
    dataset = b"".join(encoded[tag] for tag in sorted(encoded) if tag & 0xFFFF)
    if header.is_deflated:
        return meta + _deflate(dataset + header.data[header.end :])
    return meta + dataset


def _deflate(data: bytes) -> bytes:
    """Deflate a data set; padded to an even length (PS3.5 A.5)."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = stream.compress(data) + stream.flush()
    return deflated + b"\0" * (len(deflated) % 2)


def encode_new(dataset: pydicom.FileDataset) -> bytes:
    """Encode an object that did not come from a file, such as a report."""
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, enforce_file_format=True)
    return stream.getvalue()


class _Quiet:
    """Settings of pydicom and of warnings, which are those of the process, not of a thread."""

    def __init__(self) -> None:
        self._lock, self._users, self._before = threading.Lock(), 0, ExitStack()

    def enter(self) -> None:
        """Change the settings, unless another thread has."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self._before = ExitStack()
                self._before.enter_context(_changed_settings())

    def leave(self) -> None:
        """Restore the settings once no other thread needs them."""
        with self._lock:
            self._users -= 1
            if not self._users:
                self._before.close()


_QUIET = _Quiet()


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom from warning about values: its words quote them, and they may name a patient."""
    _QUIET.enter()
    try:
        yield
    finally:
        _QUIET.leave()


@contextmanager
def _changed_settings() -> Iterator[None]:
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
