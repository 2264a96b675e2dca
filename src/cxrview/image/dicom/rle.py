"""Run-length coded pixels (PS3.5 annex G)."""

from dataclasses import replace

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cxrview.errors import CorruptPixels
from cxrview.image.dicom.components import check_components, fit_components
from cxrview.image.dicom.frame import Ending, Frame, Planes, corrupt, failed
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.stored_values import unpack_native
from cxrview.image.options import check_pixels


def decode_rle(frame: Frame) -> Planes:
    """Decode RLE: a run-length coded plane for each byte of a sample.

    How many bytes a sample has is told by the number of planes, whatever Bits Allocated says.

    Raises:
        CorruptPixels: the planes are not those of the header, or make no sense.
        Truncated: the last plane ends too soon.
    """
    layout, data = _by_plane(frame.layout), frame.data
    count = int.from_bytes(data[:4], "little")
    if len(data) < 64:
        raise failed(frame, is_whole=frame.ending is Ending.CLOSED)
    layout, width = _of_segments(frame, layout, count)
    starts = [int.from_bytes(data[k : k + 4], "little") for k in range(4, 4 + 4 * count, 4)]
    if starts != sorted(starts) or starts[0] < 64:
        raise corrupt(frame)
    if starts[-1] >= len(data):
        raise failed(frame, is_whole=frame.ending is Ending.CLOSED)
    if (whole := _decode_grey(data, layout)) is not None:
        return fit_components(frame, whole)
    size = layout.frame_bytes // count
    ends = [*starts[1:], len(data)]
    native = np.empty((layout.samples, size, width), np.uint8)
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        sample, byte = divmod(k, width)  # the most significant byte comes first
        native[sample, :, width - 1 - byte] = _unpack_bits(frame, start, end, size)
    return fit_components(frame, _unpacked(native.data.cast("B"), layout))


def _of_segments(frame: Frame, layout: PixelModule, count: int) -> tuple[PixelModule, int]:
    """Take samples and bytes of a sample from the segments, of which there is one for each byte.

    Where they are not those of the header, one of the two should be.
    """
    expected, other = max(1, layout.bits_allocated // 8), 4 - layout.samples
    for width, samples in (
        (expected, layout.samples),
        (expected, other),
        *((width, layout.samples) for width in (1, 2, 4, 8)),
    ):
        if count == width * samples:
            break
    else:
        raise CorruptPixels(
            frame.path,
            f"it has {count} run-length coded planes, which fit no number of components or bytes",
            "Export it again; its header and its pixels contradict each other",
        )
    if width != expected:
        layout = replace(layout, bits_allocated=8 * width)
        check_pixels(frame.path, layout.decoded_bytes, frame.limits)
    check_components(frame, samples)
    photometric = layout.photometric if samples == layout.samples else "RGB"
    return replace(layout, samples=samples, photometric=photometric), width


def _decode_grey(data: bytes, layout: PixelModule) -> Planes | None:
    """Decode both bytes of grey values at once, in a third of the time.

    None where a plane is too short or too long, as of some writers, or where there are colours.
    """
    if layout.samples != 1 or layout.bits_allocated not in (8, 16):
        return None
    try:
        native = imagecodecs.dicomrle_decode(data, f"<u{layout.bits_allocated // 8}")
    except imagecodecs.DicomrleError:
        return None
    return _unpacked(native, layout) if len(native) == layout.frame_bytes else None


def _unpacked(native: bytes | bytearray | memoryview, layout: PixelModule) -> Planes:
    return Planes(
        samples=unpack_native(native, layout, is_little_endian=True),
        precision=layout.bits_allocated,
        is_luma_first=layout.photometric.startswith("YBR"),
    )


def _unpack_bits(frame: Frame, start: int, end: int, size: int) -> NDArray[np.uint8]:
    segment = frame.data[start:end]
    is_whole = end != len(frame.data) or frame.ending is Ending.CLOSED
    try:
        plane = imagecodecs.packbits_decode(segment, out=size)
    except imagecodecs.PackbitsError:
        # Padding behind the last run decodes to a few bytes too many.
        try:
            plane = imagecodecs.packbits_decode(segment, out=size + 256)
        except imagecodecs.PackbitsError as error:
            raise failed(frame, is_whole=is_whole) from error
    if len(plane) < size:
        raise failed(frame, is_whole=is_whole)
    return np.frombuffer(plane, np.uint8, size)


def _by_plane(layout: PixelModule) -> PixelModule:
    """RLE is always by plane, whatever Planar Configuration says."""
    photometric = layout.photometric.removesuffix("_422")
    return replace(layout, is_planar=True, photometric=photometric)
