"""Open a DICOM file: header facts at once, pixels of the first frame on request."""

import warnings as python_warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from cxrview.errors import NestedTooDeep
from cxrview.image.dicom.codecs import CODECS
from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.fast import downsample_frame, downsample_reduced
from cxrview.image.dicom.first_frame import (
    UNCOMPRESSED_SYNTAXES,
    find_pixel_data,
    join_first_codestream,
    unpack_first_frame,
)
from cxrview.image.dicom.frame import Frame, Planes
from cxrview.image.dicom.grey import to_grey
from cxrview.image.dicom.instance import read_instance
from cxrview.image.dicom.jpeg2000_reduced import decode_reduced
from cxrview.image.dicom.parse import Parsed, parse
from cxrview.image.dicom.pixel_module import PixelModule, read_pixel_module
from cxrview.image.dicom.view_position import load_table
from cxrview.image.fetch import Data
from cxrview.image.image_file import GreyImage, ImageFile
from cxrview.image.limits import check_inflation, check_pixels
from cxrview.image.options import ReadOptions
from cxrview.image.resize import SIDE
from cxrview.records.classification import Instance, Radiograph


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
        """Decode a square at reduced resolution; None if full resolution is needed.

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
        element = find_pixel_data(path, parsed, header)
        module = read_pixel_module(path, header, element.tag)
        check_pixels(path, module.decoded_bytes, self._options.limits)
        if parsed.transfer_syntax in UNCOMPRESSED_SYNTAXES:
            return module, unpack_first_frame(path, parsed, element, module)
        limits = self._options.limits
        frame, notes = join_first_codestream(path, parsed, element, module, limits)
        return replace(module, warnings=module.warnings + notes), frame

    def _planes(self, frame: Planes | Frame) -> Planes:
        if isinstance(frame, Planes):
            return frame
        # Not before `_reduced`, which allocates only the reduced picture.
        limits, decoded = self._options.limits, frame.module.frame_bytes
        check_inflation(self.instance.path, len(frame.data), decoded, limits)
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
        patient_key: returns the pseudonym of a Patient ID; not called if that is empty.

    Raises:
        NestedTooDeep: sequences beyond the limit.
        TooLarge: a deflated data set beyond the limit.
        CorruptPixels: a deflated data set that does not inflate.
        NotAnImage: the file begins like DICOM, but has no element of an image.
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
    """Silence pydicom's warnings, which quote header values, and limit its recursion."""
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        try:
            yield
        except RecursionError as error:
            raise NestedTooDeep(path, "its sequences are nested too deep") from error


def _with_notes(grey: GreyImage, module: PixelModule, notes: tuple[str, ...] = ()) -> GreyImage:
    first = (f"first_of_frames:{module.frames}",) if module.frames > 1 else ()
    return replace(grey, warnings=module.warnings + first + notes + grey.warnings)
