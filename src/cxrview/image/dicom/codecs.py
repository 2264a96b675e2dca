"""Decode a compressed frame, by transfer syntax (PS3.5 section 10 and annex A.4).

Decoders take the size from the codestream and not from the header, so the two are compared first.
Most decoders fill in pixels that are missing from a truncated stream; that is detected here.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cxrview.errors import CorruptPixels, TooLarge
from cxrview.image.dicom.codestream import (
    MAX_PRECINCTS,
    CodestreamSize,
    is_irreversible,
    jpeg2000_end,
    jpeg2000_precincts,
    jpeg2000_size,
    jpeg_ends,
    jpeg_size,
    until_end,
)
from cxrview.image.dicom.components import check_components, fit_components
from cxrview.image.dicom.frame import (
    Ending,
    Frame,
    Planes,
    corrupt_frame_error,
    too_few_pixels_error,
    undecodable_frame_error,
)
from cxrview.image.dicom.parse import inflate
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.rle import decode_rle
from cxrview.image.dicom.stored_values import unpack_native
from cxrview.image.limits import check_pixels

Codec = Callable[[Frame], Planes]


def decode_deflated(frame: Frame) -> Planes:
    """Decode a deflated native frame (PS3.5 section 8.2.16)."""
    native = inflate(frame.path, memoryview(frame.data), frame.limits)
    if len(native) < frame.module.frame_bytes:
        raise too_few_pixels_error(frame)
    return _native(frame.module, native)


def decode_plain(frame: Frame) -> Planes:
    """Return an encapsulated native frame (PS3.5 annex A.4.11)."""
    if len(frame.data) < frame.module.frame_bytes:
        raise too_few_pixels_error(frame)
    return _native(frame.module, frame.data)


def _native(module: PixelModule, data: bytes | memoryview) -> Planes:
    return Planes(
        samples=unpack_native(data, module, is_little_endian=True),
        precision=module.bits_allocated,
        is_luma_first=module.photometric.startswith("YBR"),
    )


def decode_jpeg(frame: Frame) -> Planes:
    """Decode lossy JPEG of 8 or 12 bits (PS3.5 section 8.2.1)."""
    return replace(_decode_jpeg(frame, [_turbo], is_lossy=True), is_lossy=True)


def decode_lossless_jpeg(frame: Frame) -> Planes:
    """Decode lossless JPEG of 2 to 16 bits (PS3.5 section 8.2.1).

    libjpeg-turbo is the fastest, but refuses some tables that scanners have written.
    """
    return _decode_jpeg(frame, [_turbo, _ljpeg, _sof3], is_lossy=False)


def _decode_jpeg(
    frame: Frame, decoders: list[Callable[[bytes, bool], Any]], *, is_lossy: bool
) -> Planes:
    size = _checked(frame, jpeg_size(frame.data))
    is_ycc = size.samples == 3 and (
        frame.module.photometric.startswith("YBR")
        or size.is_luma_first
        # The header says grey: as libjpeg does if no marker gives the colour space.
        or (is_lossy and frame.module.samples == 1 and not size.is_rgb)
    )
    if not jpeg_ends(frame.data, size):
        _refuse_invented_rows(frame, is_ycc)
    tries = [partial(d, frame.data, is_ycc) for d in decoders]
    samples = _first_that_works(frame, tries, may_try_next=_is_about_tables)
    if is_lossy and (samples[-4:, -4:] == 1 << (size.precision - 1)).all():
        _refuse_invented_rows(frame, is_ycc)  # the end marker may come too early
    return _framed(frame, samples, size, is_luma_first=is_ycc)


def _is_about_tables(error: Exception) -> bool:
    """Whether another decoder may succeed; some crash on damaged streams and must not be tried."""
    return "Huffman table" in str(error)


def _refuse_invented_rows(frame: Frame, is_ycc: bool) -> None:
    """Refuse a stream without an end marker, or with an early one, unless it has all pixels.

    libjpeg-turbo fills in missing pixels without an error. So the stream is decoded with two
    different endings: if no pixel differs, none was missing.
    """
    data = until_end(frame.data)
    try:
        one = _turbo(data + b"\xff\xd9", is_ycc)
        other = _turbo(data + b"\x5a\xa5\x3c" * 4096 + b"\xff\xd9", is_ycc)
    except MemoryError:
        raise
    except Exception as error:
        raise undecodable_frame_error(frame, is_complete=False) from error
    if not np.array_equal(one, other):
        raise undecodable_frame_error(frame, is_complete=False)


def _turbo(data: bytes, is_ycc: bool) -> NDArray[Any]:
    size = jpeg_size(data)
    if size is None or size.samples != 3:
        return np.asarray(imagecodecs.jpeg_decode(data))
    space = "YCBCR" if is_ycc else "RGB"  # for input and output, so that nothing is converted
    return np.asarray(imagecodecs.jpeg_decode(data, colorspace=space, outcolorspace=space))


def _ljpeg(data: bytes, _is_ycc: bool) -> NDArray[Any]:
    return np.asarray(imagecodecs.ljpeg_decode(data))


def _sof3(data: bytes, _is_ycc: bool) -> NDArray[Any]:
    return np.asarray(imagecodecs.jpegsof3_decode(data))


def decode_jpegls(frame: Frame, *, is_lossy: bool = False) -> Planes:
    """Decode JPEG-LS (PS3.5 section 8.2.3)."""
    size = _checked(frame, jpeg_size(frame.data))
    is_complete = jpeg_ends(frame.data, size)
    tries = [frame.data]
    if not is_complete and frame.data[-1:] == b"\0":  # padding to an even length, or data
        tries.append(frame.data[:-1])
    decoders = [partial(imagecodecs.jpegls_decode, _closed(data)) for data in tries]
    samples = _first_that_works(frame, decoders, is_complete=is_complete)
    is_luma_first = frame.module.photometric.startswith("YBR")
    return _framed(frame, samples, size, is_luma_first=is_luma_first, is_lossy=is_lossy)


def decode_jpeg2000(frame: Frame, *, is_lossy: bool = False) -> Planes:
    """Decode JPEG 2000 (PS3.5 section 8.2.4).

    Args:
        frame: the compressed frame.
        is_lossy: the transfer syntax allows it. A reversible wavelet may be cut short, too.
    """
    size = _checked_jpeg2000(frame)
    end = jpeg2000_end(frame.data, size)
    if end is None and not any(frame.data[-64:]):  # OpenJPEG decodes zeros without an error
        raise undecodable_frame_error(frame, is_complete=False)
    # Some writers pad with a comment after the last tile-part, on which OpenJPEG fails. Others
    # write a wrong length there: then the complete data are tried next.
    tries = [_closed(frame.data)]
    if end is not None and frame.data[end : end + 2] != b"\xff\xd9":
        tries = [frame.data[:end] + b"\xff\xd9", *tries]
    decoders = [partial(imagecodecs.jpeg2k_decode, data) for data in tries]
    samples = _first_that_works(frame, decoders, is_complete=end is not None or _is_closed(frame))
    return _of_jpeg2000(frame, samples, size, is_lossy=is_lossy)


def decode_htj2k(frame: Frame, *, is_lossy: bool = False) -> Planes:
    """Decode High-Throughput JPEG 2000 (PS3.5 section 8.2.14); `is_lossy` as above."""
    size = _checked_jpeg2000(frame)
    if jpeg2000_end(frame.data, size) is None:
        raise undecodable_frame_error(frame, is_complete=_is_closed(frame))
    samples = _first_that_works(frame, [partial(htj2k_samples, frame.data)])
    return _of_jpeg2000(frame, samples, size, is_lossy=is_lossy)


def htj2k_samples(data: bytes, *, skip: int = 0) -> NDArray[Any]:
    """Decode HTJ2K, and raise the errors of OpenJPH, which imagecodecs only prints.

    Args:
        data: a complete codestream.
        skip: number of times that the resolution is halved.
    """
    lost: list[bool] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda _: lost.append(True)
    try:
        samples = np.asarray(imagecodecs.htj2k_decode(data, skipres=skip))
    finally:
        sys.unraisablehook = before
    if lost:
        raise RuntimeError("OpenJPH failed")
    return samples


def _of_jpeg2000(
    frame: Frame, samples: NDArray[Any], size: CodestreamSize, *, is_lossy: bool
) -> Planes:
    # The reversible and irreversible colour transforms have been undone by the decoder.
    return _framed(
        frame,
        samples,
        size,
        is_luma_first=frame.module.photometric.startswith("YBR_FULL"),
        is_lossy=is_lossy or is_irreversible(frame.data, size),
    )


def _checked(frame: Frame, size: CodestreamSize | None) -> CodestreamSize:
    """Refuse a codestream of another size than the header's, before memory is allocated."""
    module = frame.module
    if size is None:
        is_complete = frame.ending is Ending.CLOSED or len(frame.data) > 1024
        raise undecodable_frame_error(frame, is_complete=is_complete)
    if (size.rows, size.columns) != (module.rows, module.columns):
        raise CorruptPixels(
            frame.path, "the size of its compressed pixels is not that of its header"
        )
    check_components(frame, size.samples)
    if size.precision > module.bits_allocated:
        count = module.rows * module.columns * size.samples
        check_pixels(
            frame.path, count * (1 << (size.precision - 1).bit_length()) // 8, frame.limits
        )
    return size


def _checked_jpeg2000(frame: Frame) -> CodestreamSize:
    """Also refuse a stream that is divided into so many parts that these take gigabytes."""
    size = _checked(frame, jpeg2000_size(frame.data))
    if jpeg2000_precincts(frame.data, size) > MAX_PRECINCTS:
        raise TooLarge(
            frame.path, f"its JPEG 2000 stream has more than {MAX_PRECINCTS:,} precincts"
        )
    return size


def _is_closed(frame: Frame) -> bool:
    """Whether the codestream has its end marker, so that an error is not a truncation."""
    return b"\xff\xd9" in frame.data[-64:]


def _closed(data: bytes) -> bytes:
    """Append a missing end marker: some decoders require it."""
    return data if b"\xff\xd9" in data[-64:] else data + b"\xff\xd9"


def _first_that_works(
    frame: Frame,
    decoders: Sequence[Callable[[], Any]],
    *,
    is_complete: bool = True,
    may_try_next: Callable[[Exception], bool] = lambda _error: True,
) -> NDArray[Any]:
    failure: Exception | None = None
    for decode in decoders:
        try:
            return np.asarray(decode())
        except MemoryError:
            raise
        except Exception as error:  # each decoder raises different classes
            failure = error
            if not may_try_next(error):
                break
    raise undecodable_frame_error(frame, is_complete=is_complete) from failure


def _framed(
    frame: Frame,
    samples: NDArray[Any],
    size: CodestreamSize,
    *,
    is_luma_first: bool,
    is_lossy: bool = False,
) -> Planes:
    planes = Planes(
        samples=_planes(frame, samples, size.samples),
        precision=size.precision,
        is_luma_first=is_luma_first,
        is_lossy=is_lossy,
    )
    return fit_components(frame, planes)


def _planes(frame: Frame, samples: NDArray[Any], count: int) -> NDArray[Any]:
    rows, columns = frame.module.rows, frame.module.columns
    if samples.shape == (rows, columns, count) and count > 1:
        return np.moveaxis(samples, 2, 0)
    if samples.size != rows * columns * count:
        raise corrupt_frame_error(frame)
    return samples.reshape(count, rows, columns)


CODECS: Mapping[str, Codec] = {
    "1.2.840.10008.1.2.1.98": decode_plain,
    "1.2.840.10008.1.2.5": decode_rle,
    "1.2.840.10008.1.2.8.1": decode_deflated,
    "1.2.840.10008.1.2.4.50": decode_jpeg,
    "1.2.840.10008.1.2.4.51": decode_jpeg,
    "1.2.840.10008.1.2.4.57": decode_lossless_jpeg,
    "1.2.840.10008.1.2.4.70": decode_lossless_jpeg,
    "1.2.840.10008.1.2.4.80": decode_jpegls,
    "1.2.840.10008.1.2.4.81": partial(decode_jpegls, is_lossy=True),
    "1.2.840.10008.1.2.4.90": decode_jpeg2000,
    "1.2.840.10008.1.2.4.91": partial(decode_jpeg2000, is_lossy=True),
    "1.2.840.10008.1.2.4.201": decode_htj2k,
    "1.2.840.10008.1.2.4.202": decode_htj2k,
    "1.2.840.10008.1.2.4.203": partial(decode_htj2k, is_lossy=True),
}
"""Decoders by transfer syntax UID; native syntaxes need none."""
