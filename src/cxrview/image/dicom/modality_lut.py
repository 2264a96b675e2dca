"""Convert stored values to modality values: lookup table or rescale (PS3.3 C.11.1)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.pixel_module import PixelModule

_LEVELS = 256
# In fluoroscopy and angiography the table converts to the intensity of the beam and is not meant
# for display (PS3.3 C.8.7.1.1.2).
_BACKWARDS = frozenset(
    [
        "1.2.840.10008.5.1.4.1.1.12.1",
        "1.2.840.10008.5.1.4.1.1.12.2",
        "1.2.840.10008.5.1.4.1.1.12.3",
    ]
)


def modality_values(
    values: NDArray[Any], header: Header, module: PixelModule
) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Apply Modality LUT Sequence (0028,3000), else Rescale Slope and Intercept.

    Args:
        values: shape (rows, columns), stored values.
        header: the data set.
        module: the Image Pixel module.

    Returns:
        Shape (rows, columns), and the warning `odd_rescale` if slope or intercept is not valid.
        Results of a rescale are truncated to integers, as in DCMTK; but if fewer than 256 different
        integers would remain, grey levels would be lost, so that the results are floats.
    """
    if module.is_float or header.text(0x00080016) in _BACKWARDS:
        return values, ()
    if values.dtype.itemsize <= 2 and (table := _lookup_table(header, module)):
        return _through_table(values, table), ()
    slope, intercept, notes = _rescale(header)
    if slope is None or intercept is None:
        return values, notes
    if slope == 1 and intercept == int(intercept):
        return values, notes  # it shifts minimum and maximum equally

    def rescaled(stored: NDArray[Any]) -> NDArray[Any]:
        unrounded: NDArray[Any] = stored.astype(np.float64) * slope + intercept
        return unrounded

    span = abs(slope) * float(int(values.max()) - int(values.min()))
    if span >= _LEVELS:
        return _through_table(values, lambda stored: _truncated(rescaled(stored))), notes
    return _through_table(values, rescaled), notes


def slope_of(header: Header, module: PixelModule) -> tuple[float, tuple[str, ...]] | None:
    """Return the slope by which `modality_values` multiplies.

    Returns:
        The slope, or 1 if none is applied, and warnings; None if there is a lookup table.
    """
    if module.is_float or header.text(0x00080016) in _BACKWARDS:
        return 1.0, ()
    if _lookup_table(header, module):
        return None
    slope, _intercept, notes = _rescale(header)
    return (1.0 if slope is None else slope), notes


def _truncated(values: NDArray[Any]) -> NDArray[Any]:
    integers: NDArray[Any] = np.trunc(values)
    if np.abs(integers).max() < np.iinfo(np.int64).max / 2:
        integers = integers.astype(np.int64)
    return integers


def _rescale(header: Header) -> tuple[float | None, float | None, tuple[str, ...]]:
    where: Header | None = header
    if not header.raw(0x00281053) or not header.raw(0x00281052):
        shared = header.first_item(0x52009229)
        where = shared.first_item(0x00289145) if shared else None
    if where is None:
        return None, None, ()
    slope, intercept = where.decimal(0x00281053), where.decimal(0x00281052)
    if not slope or intercept is None:  # a slope of 0 would give a constant picture
        return None, None, ("odd_rescale",)
    return slope, intercept, ()


def _lookup_table(
    header: Header, module: PixelModule
) -> Callable[[NDArray[Any]], NDArray[Any]] | None:
    item = header.first_item(0x00283000)
    if item is None:
        return None
    descriptor, raw = item.numbers(0x00283002), item.raw(0x00283006)
    if len(descriptor) < 3 or len(raw) < 2:
        return None
    count = descriptor[0] % 65536 or 65536  # 0 stands for 2^16 (PS3.3 C.11.1.1.1)
    first = descriptor[1] % 65536
    if module.is_signed and first >= 32768:
        first -= 65536
    entries = _entries(item, raw, count, descriptor[2])

    def look_up(stored: NDArray[Any]) -> NDArray[Any]:
        places = np.clip(stored.astype(np.int64) - first, 0, len(entries) - 1)
        found: NDArray[Any] = entries[places]
        return found

    return look_up


def _entries(item: Header, raw: bytes, count: int, bits: int) -> NDArray[np.uint16]:
    if len(raw) in (count, count + 1):  # a byte per entry, although the standard requires words
        entries = np.frombuffer(raw, np.uint8, count).astype(np.uint16)
    else:
        entries = np.array(item.words(0x00283006), np.uint16)
    if not 8 <= bits <= 16:
        bits = min(16, max(8, int(entries.max()).bit_length()))
    masked: NDArray[np.uint16] = entries & np.uint16((1 << bits) - 1)
    return masked


def _through_table(
    values: NDArray[Any], change: Callable[[NDArray[Any]], NDArray[Any]]
) -> NDArray[Any]:
    """Compute each possible value once, not each pixel, if there are at most 65,536 values."""
    if values.dtype.itemsize > 2:
        return change(values)
    unsigned = f"u{values.dtype.itemsize}"
    every = np.arange(1 << (8 * values.dtype.itemsize)).astype(unsigned)
    changed: NDArray[Any] = change(every.view(values.dtype))[values.view(unsigned)]
    return changed
