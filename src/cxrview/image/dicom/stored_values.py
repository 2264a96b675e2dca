"""Unpack native pixels, and extract stored values with their sign (PS3.5 section 8.1.1)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.image.dicom.pixel_module import PixelModule


def stored_values(samples: NDArray[Any], module: PixelModule, precision: int) -> NDArray[Any]:
    """Extract the stored bits of samples, with their sign.

    Args:
        samples: integers of up to 64 bits, any shape and byte order, or floats, which are
            returned as they are.
        module: the Image Pixel module.
        precision: bits that a codestream uses; of native pixels, the bits allocated.

    Returns:
        The same shape, in native byte order, signed if Pixel Representation says so, without
        other bits (overlays of old scanners). A codestream may call its samples signed where the
        header does not, or the other way round: the header decides, as in DCMTK and pydicom.
    """
    if module.is_float:
        return samples.astype(samples.dtype.newbyteorder("="), copy=False)
    bits, high = module.bits_stored, module.high_bit
    if precision < bits:
        bits, high = precision, precision - 1
    width = samples.dtype.itemsize
    container = samples.astype(samples.dtype.newbyteorder("="), copy=False).view(f"u{width}")
    shift = min(high + 1, 8 * width) - bits
    if bits == 8 * width or shift < 0:  # the value fills the sample
        values: NDArray[Any] = container.view(f"i{width}") if module.is_signed else container
        return values
    values = (container >> shift if shift else container) & _ones(bits, width)
    if not module.is_signed:
        return values
    sign = _ones(bits, width) ^ _ones(bits - 1, width)
    signed: NDArray[Any] = ((values ^ sign) - sign).view(f"i{width}")
    return signed


def as_stored(value: int, module: PixelModule) -> int:
    """Convert a header value, such as Pixel Padding Value, to the sign of the pixels.

    Its value representation often contradicts Pixel Representation.
    """
    span = 1 << (16 if module.bits_allocated <= 16 else module.bits_allocated)
    value %= span
    return value - span if module.is_signed and value >= span // 2 else value


def _ones(bits: int, width: int) -> Any:
    return np.array((1 << bits) - 1, f"u{width}")[()]


def unpack_native(
    data: bytes | bytearray | memoryview,
    module: PixelModule,
    *,
    is_little_endian: bool,
    is_words: bool = False,
) -> NDArray[Any]:
    """Unpack the first frame of native pixels.

    Args:
        data: at least `module.frame_bytes` bytes.
        module: the Image Pixel module.
        is_little_endian: byte order of values longer than a byte.
        is_words: the element consists of 16-bit words (OW): in big endian files the bytes of
            8-bit pixels are then swapped in pairs.

    Returns:
        Shape (samples, rows, columns), unsigned or floating; a view of `data` if possible.
    """
    if not is_little_endian and is_words and module.bits_allocated <= 8:
        even = module.frame_bytes + module.frame_bytes % 2
        data = np.frombuffer(bytes(data[:even]).ljust(even, b"\0"), ">u2").astype("<u2").tobytes()
    data = data[: module.frame_bytes]
    if module.bits_allocated == 1:
        bits = np.unpackbits(
            np.frombuffer(data, np.uint8), count=module.samples_a_plane, bitorder="little"
        )
        return bits.reshape(module.samples, module.rows, module.columns)
    kind = "f" if module.is_float else "u"
    order = "<" if is_little_endian else ">"
    flat = np.frombuffer(data, f"{order}{kind}{module.bits_allocated // 8}")
    if module.photometric == "YBR_FULL_422":
        return _luma_of_422(flat, module)
    if module.samples == 1 or module.is_planar:
        return flat.reshape(module.samples, module.rows, module.columns)
    return np.moveaxis(flat.reshape(module.rows, module.columns, module.samples), 2, 0)


def _luma_of_422(flat: NDArray[Any], module: PixelModule) -> NDArray[Any]:
    """Take the luma from Y Y Cb Cr for every two pixels (PS3.3 C.7.6.3.1.2)."""
    pairs = flat.reshape(module.rows, -1, 4)[..., :2]
    return pairs.reshape(1, module.rows, -1)[..., : module.columns]
