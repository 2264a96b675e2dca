"""Native pixels: from bytes to planes, for each bit depth and byte order (PS3.5 section 8)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.image.dicom.pixel_module import Layout


def unpack_native(
    data: bytes | bytearray | memoryview,
    layout: Layout,
    *,
    is_little_endian: bool,
    is_words: bool = False,
) -> NDArray[Any]:
    """Take the first frame.

    Args:
        data: at least `layout.frame_bytes` bytes.
        layout: what the header says.
        is_little_endian: byte order of values longer than a byte.
        is_words: the element is of 16-bit words (OW): in big endian files bytes of 8-bit
            pixels then stand in pairs the wrong way round.

    Returns:
        Shape (samples, rows, columns), unsigned or floating. A view of `data` where it can be.
    """
    if not is_little_endian and is_words and layout.bits_allocated <= 8:
        even = layout.frame_bytes + layout.frame_bytes % 2
        data = np.frombuffer(bytes(data[:even]).ljust(even, b"\0"), ">u2").astype("<u2").tobytes()
    data = data[: layout.frame_bytes]
    if layout.bits_allocated == 1:
        bits = np.unpackbits(
            np.frombuffer(data, np.uint8), count=layout.samples_a_plane, bitorder="little"
        )
        return bits.reshape(layout.samples, layout.rows, layout.columns)
    kind = "f" if layout.is_float else "u"
    order = "<" if is_little_endian else ">"
    flat = np.frombuffer(data, f"{order}{kind}{layout.bits_allocated // 8}")
    if layout.photometric == "YBR_FULL_422":
        return _luma_of_422(flat, layout)
    if layout.samples == 1 or layout.is_planar:
        return flat.reshape(layout.samples, layout.rows, layout.columns)
    return np.moveaxis(flat.reshape(layout.rows, layout.columns, layout.samples), 2, 0)


def _luma_of_422(flat: NDArray[Any], layout: Layout) -> NDArray[Any]:
    """Pick the luma out of Y Y Cb Cr for every two pixels (PS3.3 C.7.6.3.1.2)."""
    pairs = flat.reshape(layout.rows, -1, 4)[..., :2]
    return pairs.reshape(1, layout.rows, -1)[..., : layout.columns]
