"""Open a DICOM file: header facts at once, pixels of the first frame on request."""

import warnings as python_warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from cxrview.errors import (
    CorruptHeader,
    NestedTooDeep,
    NoPixelData,
    Truncated,
    Unsupported,
)
from cxrview.image.dicom.codecs import CODECS
from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.fast import downsample_frame, downsample_reduced
from cxrview.image.dicom.fragments import join_first_frame
from cxrview.image.dicom.frame import Frame, Planes
from cxrview.image.dicom.grey import to_grey
from cxrview.image.dicom.instance import read_instance
from cxrview.image.dicom.jpeg2000_reduced import decode_reduced
from cxrview.image.dicom.native_length import is_third, unpack_by_length
from cxrview.image.dicom.parse import UNDEFINED_LENGTH, Parsed, PixelElement, parse
from cxrview.image.dicom.pixel_module import PixelModule, read_pixel_module
from cxrview.image.dicom.stored_values import unpack_native
from cxrview.image.dicom.view_position import load_table
from cxrview.image.fetch import Data
from cxrview.image.image_file import GreyImage, ImageFile
from cxrview.image.options import ReadOptions, check_pixels
from cxrview.image.resize import SIDE
from cxrview.records import Instance, Radiograph

_NATIVE = frozenset(
    [
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.2",
    ]
)
_RLE = "1.2.840.10008.1.2.5"


class DicomFile(ImageFile):
    """An open DICOM file."""

    def __init__(
        self,
        instance: Instance,
        warnings: tuple[str, ...],
        parsed: Parsed,
        header: Header,
        options: ReadOptions,
    ) -> None:
        super().__init__(instance, warnings)
        self._parsed, self._header, self._options = parsed, header, options

    def decode(self) -> Radiograph:
        """Decode the first frame in full, as `ImageFile.decode` does."""
        path = self.instance.path
        with _guarded(path):
            module, frame = self._first_frame()
            planes = self._planes(frame)
            grey = to_grey(path, planes, self._header, module, exact=self._options.exact)
            return self._radiograph(_with_notes(grey, module, planes.warnings))

    def decode_square(self, side: int = SIDE) -> Radiograph:
        """Decode a square: JPEG 2000 at reduced resolution, others by blocks of stored values."""
        if self._options.exact:
            return super().decode_square(side)
        path = self.instance.path
        with _guarded(path):
            module, frame = self._first_frame()
            if grey := self._reduced(module, frame, side):
                return self._radiograph(grey)
            planes = self._planes(frame)
            grey = downsample_frame(path, planes, self._header, module, side)
            return self._radiograph(_with_notes(grey, module, planes.warnings))

    def decode_reduced_square(self, side: int) -> Radiograph | None:
        """Decode a square at reduced resolution; None where only full resolution will do.

        Args:
            side: rows and columns of the result.

        Raises:
            UnreadableImage: one of its subclasses, with the reason.
        """
        with _guarded(self.instance.path):
            grey = self._reduced(*self._first_frame(), side)
            return self._radiograph(grey) if grey else None

    def _reduced(self, module: PixelModule, frame: Planes | Frame, side: int) -> GreyImage | None:
        if not isinstance(frame, Frame):
            return None
        reduced = decode_reduced(self._parsed.transfer_syntax, frame, side)
        grey = downsample_reduced(reduced, self._header, module, side) if reduced else None
        return _with_notes(grey, module) if grey else None

    def _first_frame(self) -> tuple[PixelModule, Planes | Frame]:
        """Find the first frame: native pixels, or a codestream to be decoded."""
        path, parsed, header = self.instance.path, self._parsed, self._header
        element = _pixels(path, parsed, header)
        module = read_pixel_module(path, header, element.tag)
        check_pixels(path, module.decoded_bytes, self._options.limits)
        if parsed.transfer_syntax in _NATIVE:
            return module, _native(path, parsed, element, module)
        frame, notes = _compressed(path, parsed, element, module, self._options)
        return replace(module, warnings=module.warnings + notes), frame

    def _planes(self, frame: Planes | Frame) -> Planes:
        if isinstance(frame, Planes):
            return frame
        return CODECS[self._parsed.transfer_syntax](frame)


def open_dicom(
    path: str,
    data: Data,
    content_id: str,
    options: ReadOptions,
    patient_key: Callable[[str], str],
) -> DicomFile:
    """Open a DICOM file.

    Args:
        path: as the user named it.
        data: all bytes of the file.
        content_id: the digest of them.
        options: limits, and how padding is treated.
        patient_key: makes a pseudonym of the Patient ID; not called where that is empty.

    Raises:
        NestedTooDeep: sequences beyond the limit.
        TooLarge: a deflated data set beyond the limit.
        CorruptPixels: a deflated data set that does not inflate.
        NotAnImage: it begins like DICOM, and has none of the elements of an image.
        UsageError: the user's table of header views is not valid.
    """
    parsed = parse(path, data, options.limits)
    with _guarded(path):
        header = Header(parsed.dataset, is_little_endian=parsed.is_little_endian)
        instance, notes = read_instance(path, content_id, parsed, header, patient_key)
        view, more = load_table(options.header_terms).view_of(
            instance.header_view_position, instance.header_view_code
        )
    instance = replace(instance, header_view=view)
    return DicomFile(instance, parsed.warnings + notes + more, parsed, header, options)


@contextmanager
def _guarded(path: str) -> Iterator[None]:
    """Silence pydicom's warnings, which quote header values, and bound its recursion."""
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        try:
            yield
        except RecursionError as error:
            raise NestedTooDeep(path, "its sequences are nested too deep") from error


def _with_notes(grey: GreyImage, module: PixelModule, notes: tuple[str, ...] = ()) -> GreyImage:
    first = (f"first_of_frames:{module.frames}",) if module.frames > 1 else ()
    return replace(grey, warnings=module.warnings + first + notes + grey.warnings)


def _pixels(path: str, parsed: Parsed, header: Header) -> PixelElement:
    if parsed.pixels is not None and len(parsed.pixels.value):
        return parsed.pixels
    if parsed.broken is not None:
        group, element = divmod(parsed.broken, 1 << 16)
        raise CorruptHeader(
            path,
            f"its element ({group:04X},{element:04X}) has no valid length",
            "Export it again; what follows that element cannot be read",
        )
    if parsed.is_cut or (parsed.pixels is not None and parsed.pixels.length):
        raise Truncated(path, "it ends before its pixels")
    if header.has(0x00287FE0):
        raise Unsupported(
            path, "its pixels are on a server (JPIP)", "Fetch the image itself from there"
        )
    if header.has(0x00280010) and header.has(0x00280011):
        raise NoPixelData(path, "its header describes an image, but it has no pixels")
    raise NoPixelData(
        path,
        "it is a DICOM object without pixels",
        "Nothing to do, or check the export if a radiograph was expected here",
    )


def _native(path: str, parsed: Parsed, element: PixelElement, module: PixelModule) -> Planes:
    if element.length == UNDEFINED_LENGTH:
        raise CorruptHeader(
            path, "its pixels are compressed, but its transfer syntax says they are not"
        )
    if len(element.value) < min(element.length, _needed(module)):
        raise Truncated(path, "it ends before its pixels do")
    length, needed = len(element.value), _needed(module)
    if length < needed and not is_third(length, needed, module):
        raise Truncated(path, "it has fewer pixels than its header says")
    samples, notes = unpack_by_length(
        length,
        needed,
        module,
        lambda module: unpack_native(
            element.value,
            module,
            is_little_endian=parsed.is_little_endian,
            is_words=element.vr == "OW",
        ),
    )
    return Planes(
        samples=samples,
        precision=max(module.bits_allocated, 8 * samples.dtype.itemsize)
        if module.bits_allocated >= 8
        else module.bits_allocated,
        is_luma_first=module.photometric.startswith("YBR") or is_third(length, needed, module),
        trailing_bytes=bytes(element.value[module.frame_bytes : module.frame_bytes + 1]),
        warnings=notes,
    )


def _needed(module: PixelModule) -> int:
    """Bytes of all frames; frames of one bit follow each other without padding."""
    if module.bits_allocated == 1:
        return (module.samples_a_plane * module.frames + 7) // 8
    return module.frame_bytes * module.frames


def _compressed(
    path: str, parsed: Parsed, element: PixelElement, module: PixelModule, options: ReadOptions
) -> tuple[Frame, tuple[str, ...]]:
    if parsed.transfer_syntax not in CODECS:
        raise Unsupported(
            path,
            "its transfer syntax is not supported",
            "Convert it to JPEG 2000, JPEG-LS, RLE or uncompressed DICOM",
        )
    found = join_first_frame(
        path, element.value, module.frames, has_end_marker=parsed.transfer_syntax != _RLE
    )
    frame = Frame(
        path=path,
        data=found.data,
        module=module,
        limits=options.limits,
        ending=found.ending,
    )
    return frame, found.warnings
