"""Find the first frame of a DICOM file: uncompressed samples, or a codestream to be decoded."""

from cxrview.errors import CorruptHeader, NoPixelData, Truncated, Unsupported
from cxrview.image.dicom.codecs import CODECS
from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.fragments import join_first_frame
from cxrview.image.dicom.frame import Frame, Planes
from cxrview.image.dicom.native_length import is_third, unpack_by_length
from cxrview.image.dicom.parse import UNDEFINED_LENGTH, Parsed, PixelElement
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.stored_values import unpack_native
from cxrview.image.limits import Limits

UNCOMPRESSED_SYNTAXES = frozenset(
    [
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.2",
    ]
)
"""Transfer Syntax UIDs whose pixels are stored as they are (PS3.5 A.1, A.2, A.5)."""
_RLE = "1.2.840.10008.1.2.5"
_PIXEL_DATA_PROVIDER_URL = 0x00287FE0


def find_pixel_data(path: str, parsed: Parsed, header: Header) -> PixelElement:
    """Find the element that holds the pixels.

    Raises:
        UnreadableImage: the file has none; one of its subclasses, with the reason.
    """
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
    if header.has(_PIXEL_DATA_PROVIDER_URL):
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


def unpack_first_frame(
    path: str, parsed: Parsed, element: PixelElement, module: PixelModule
) -> Planes:
    """Unpack the samples of an uncompressed first frame.

    Raises:
        CorruptHeader: the pixels are compressed although the transfer syntax says otherwise.
        Truncated: there are fewer pixels than the header says.
    """
    if element.length == UNDEFINED_LENGTH:
        raise CorruptHeader(
            path, "its pixels are compressed, but its transfer syntax says they are not"
        )
    if len(element.value) < min(element.length, _bytes_of_all_frames(module)):
        raise Truncated(path, "it ends before its pixels do")
    length, needed = len(element.value), _bytes_of_all_frames(module)
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


def _bytes_of_all_frames(module: PixelModule) -> int:
    """Return the bytes of all frames; frames of one bit follow each other without padding."""
    if module.bits_allocated == 1:
        return (module.samples_a_plane * module.frames + 7) // 8
    return module.frame_bytes * module.frames


def join_first_codestream(
    path: str, parsed: Parsed, element: PixelElement, module: PixelModule, limits: Limits
) -> tuple[Frame, tuple[str, ...]]:
    """Join the fragments of a compressed first frame.

    Returns:
        The frame, not decoded, and warnings.

    Raises:
        Unsupported: no decoder for its transfer syntax.
        UnreadableImage: the fragments are damaged.
    """
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
        limits=limits,
        ending=found.ending,
    )
    return frame, found.warnings
