"""Decode RLE pixels (PS3.5 annex G)."""

from dataclasses import replace

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cxrview.errors import CorruptPixels
from cxrview.image.dicom.components import check_components, fit_components
from cxrview.image.dicom.frame import (
    Ending,
    Frame,
    Planes,
    corrupt_frame_error,
    undecodable_frame_error,
)
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.stored_values import unpack_native
from cxrview.image.limits import check_pixels


def decode_rle(frame: Frame) -> Planes:
    """Decode RLE: a run-length coded plane for each byte of a sample.

    The number of planes determines the number of bytes of a sample, whatever Bits Allocated is.

    Raises:
        CorruptPixels: the planes do not fit the header, or cannot be decoded.
        Truncated: the last plane ends too early.
    """
    module, data = _by_plane(frame.module), frame.data
    count = int.from_bytes(data[:4], "little")
    if len(data) < 64:
        raise undecodable_frame_error(frame, is_complete=frame.ending is Ending.CLOSED)
    module, width = _of_segments(frame, module, count)
    starts = [int.from_bytes(data[k : k + 4], "little") for k in range(4, 4 + 4 * count, 4)]
    if starts != sorted(starts) or starts[0] < 64:
        raise corrupt_frame_error(frame)
    if starts[-1] >= len(data):
        raise undecodable_frame_error(frame, is_complete=frame.ending is Ending.CLOSED)
    if (grey := _decode_grey(data, module)) is not None:
        return fit_components(frame, grey)
    size = module.frame_bytes // count
    ends = [*starts[1:], len(data)]
    native = np.empty((module.samples, size, width), np.uint8)
    for k, (start, end) in enumerate(zip(starts, ends, strict=True)):
        sample, byte = divmod(k, width)  # the most significant byte comes first
        native[sample, :, width - 1 - byte] = _unpack_bits(frame, start, end, size)
    return fit_components(frame, _unpacked(native.data.cast("B"), module))


def _of_segments(frame: Frame, module: PixelModule, count: int) -> tuple[PixelModule, int]:
    """Return samples per pixel and bytes per sample; their product is the number of segments.

    If the product differs from that of the header, one of the two factors must agree.
    """
    expected, other = max(1, module.bits_allocated // 8), 4 - module.samples
    for width, samples in (
        (expected, module.samples),
        (expected, other),
        *((width, module.samples) for width in (1, 2, 4, 8)),
    ):
        if count == width * samples:
            break
    else:
        raise CorruptPixels(
            frame.path,
            f"its {count} run-length coded planes do not fit its components and bits",
            "Export it again; its header and its pixels contradict each other",
        )
    if width != expected:
        module = replace(module, bits_allocated=8 * width)
        check_pixels(frame.path, module.decoded_bytes, frame.limits)
    check_components(frame, samples)
    photometric = module.photometric if samples == module.samples else "RGB"
    return replace(module, samples=samples, photometric=photometric), width


def _decode_grey(data: bytes, module: PixelModule) -> Planes | None:
    """Decode both bytes of grey values at once, in a third of the time.

    None for colours, or if a plane is too short or too long, as from some writers.
    """
    if module.samples != 1 or module.bits_allocated not in (8, 16):
        return None
    try:
        # The size is given, or the decoder would allocate what the runs add up to.
        native = imagecodecs.dicomrle_decode(
            data, f"<u{module.bits_allocated // 8}", out=module.frame_bytes
        )
    except imagecodecs.DicomrleError:
        return None
    return _unpacked(native, module) if len(native) == module.frame_bytes else None


def _unpacked(native: bytes | bytearray | memoryview, module: PixelModule) -> Planes:
    return Planes(
        samples=unpack_native(native, module, is_little_endian=True),
        precision=module.bits_allocated,
        is_luma_first=module.photometric.startswith("YBR"),
    )


def _unpack_bits(frame: Frame, start: int, end: int, size: int) -> NDArray[np.uint8]:
    segment = frame.data[start:end]
    is_complete = end != len(frame.data) or frame.ending is Ending.CLOSED
    try:
        plane = imagecodecs.packbits_decode(segment, out=size)
    except imagecodecs.PackbitsError:
        # Padding after the last run decodes to a few more bytes.
        try:
            plane = imagecodecs.packbits_decode(segment, out=size + 256)
        except imagecodecs.PackbitsError as error:
            raise undecodable_frame_error(frame, is_complete=is_complete) from error
    if len(plane) < size:
        raise undecodable_frame_error(frame, is_complete=is_complete)
    return np.frombuffer(plane, np.uint8, size)


def _by_plane(module: PixelModule) -> PixelModule:
    """Set Planar Configuration to by-plane: RLE always is, whatever the header says."""
    photometric = module.photometric.removesuffix("_422")
    return replace(module, is_planar=True, photometric=photometric)
