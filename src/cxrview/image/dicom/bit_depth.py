"""Resolve contradictions between samples and the header: bit depth and byte order.

Bits Stored is the number of bits of a sample that are its value (PS3.5 section 8.1.1). Real files
hold values that need more bits, streams of a higher precision, values that a lossy compression has
moved beyond the limit, overlays and other bits above the value, and words in the wrong byte order.
If the pixels show which interpretation is right, it is used; otherwise the header's. Both give a
warning.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.image.dicom.elements import Header
from cxrview.image.dicom.frame import Planes
from cxrview.image.dicom.pixel_module import PixelModule
from cxrview.image.dicom.pixel_sign import settle_sign
from cxrview.image.dicom.smoothness import (
    SURE,
    is_much_smoother,
    roughness,
    share_closer,
    some_rows,
    wide,
)
from cxrview.image.dicom.stored_values import stored_values

USED = "bits_above_stored_used"
MASKED = "bits_above_stored_masked"
SWAPPED = "byte_order_swapped"
_HIGH_BIT = "odd_high_bit"

Settled = tuple[Planes, PixelModule, tuple[str, ...]]

_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
_NOISE = 0.8
"""Roughness above which a picture counts as noise; uniform noise has 1.15."""
_NEVER = 0.05
"""Share of neighbours that are closer by chance, with unrelated bits."""
_LITTLE, _LITTLE_SHARE, _NEARLY_NONE = 4, 16, 0.01


def settle(
    planes: Planes, header: Header, module: PixelModule, padding: tuple[int, int] | None = None
) -> Settled:
    """Determine the byte order, and the position and number of the bits of the value.

    Args:
        planes: the decoded frame.
        header: the data set, which may declare overlays in the bits above the value.
        module: the Image Pixel module of the header.
        padding: smallest and largest padding value, if there are any.

    Returns:
        Planes and module to pass to `stored_values`, and warnings, unless the pixels agree with the
        header.
    """
    if module.is_float or planes.samples.dtype.kind == "f":
        return planes, module, ()
    planes = replace(planes, samples=_without_overlays(planes.samples, header, module))
    module, notes = _placed(planes, module)
    is_odd = may_be_swapped(planes, module) or not _fits(planes, module)
    if is_odd and _is_swapped(planes, module):
        planes = replace(planes, samples=_swapped(planes.samples))
        notes = (*notes, SWAPPED)
    if _fits(planes, module):
        module, more = settle_sign(planes, module)
        return planes, module, notes + more
    if padding and _fits(_without_padding(planes, module, padding), module):
        return planes, _wider(planes, module), (*notes, USED)
    if planes.is_lossy and (clamped := _clamped(planes, module)) is not None:
        return clamped, module, notes
    module, more = _all_bits(planes, module)
    return planes, module, notes + more


def may_be_swapped(planes: Planes, module: PixelModule) -> bool:
    """Whether the byte order may be wrong, by a few rows: takes some 50 microseconds.

    Only words of which all bits are stored need this check: swapped words of fewer bits have
    values above Bits Stored.
    """
    if not _has_words(planes) or module.bits_stored < planes.precision:
        return False
    few = some_rows(planes.samples[0], is_quick=True)
    as_is, swapped = (
        roughness(stored_values(samples, module, planes.precision))
        for samples in (few, _swapped(few))
    )
    return bool(as_is > 1.5 * swapped)


def is_overshoot(values: NDArray[Any], low: int, high: int) -> bool:
    """Whether values exceed the range as after lossy compression: by little, and few of them.

    Args:
        values: any shape, integers.
        low: smallest value by the header.
        high: largest value by the header.
    """
    span = high - low
    excess = max(int(values.max()) - high, low - int(values.min()))
    if excess > span // _LITTLE:
        return False
    margin = span // _LITTLE_SHARE
    beyond = np.count_nonzero((values > high + margin) | (values < low - margin))
    return bool(beyond <= _NEARLY_NONE * values.size)


def _without_overlays(samples: NDArray[Any], header: Header, module: PixelModule) -> NDArray[Any]:
    """Clear the bits of overlays (Overlay Bit Position (60xx,0102)).

    Of signed values all upper bits are cleared, since the sign may fill the others.
    """
    declared = 0
    for group in _OVERLAY_GROUPS:
        position = header.number(group << 16 | 0x0102)
        if position and module.high_bit < position < module.bits_allocated:
            declared |= 1 << position
    if not declared or module.bits_allocated > 8 * samples.dtype.itemsize:
        return samples
    every = (1 << 8 * samples.dtype.itemsize) - 1
    kept = (1 << (module.high_bit + 1)) - 1 if module.is_signed else every ^ declared
    native = _container(samples)
    cleared: NDArray[Any] = native & native.dtype.type(kept)
    return cleared


def _without_padding(planes: Planes, module: PixelModule, padding: tuple[int, int]) -> Planes:
    values = _read_all(planes, module)
    is_picture = (values < padding[0]) | (values > padding[1])
    if is_picture.all() or not is_picture.any():
        return planes
    return replace(planes, samples=planes.samples[is_picture])


def _placed(planes: Planes, module: PixelModule) -> tuple[PixelModule, tuple[str, ...]]:
    """Take the lowest bits if High Bit contradicts the samples."""
    stored, high = module.bits_stored, module.high_bit
    if high == stored - 1:
        return module, ()
    low_bits = (1 << (high + 1 - stored)) - 1
    container = _container(planes.samples)
    is_beyond = high >= planes.precision  # a stream has no such bit
    is_below = int(container.max()) >> stored == 0 and bool((container & low_bits).any())
    if is_beyond or is_below:
        return replace(module, high_bit=stored - 1), (_HIGH_BIT,)
    return module, ()


def _fits(planes: Planes, module: PixelModule) -> bool:
    """Whether all values fit into Bits Stored, as they are or as two's complement."""
    if planes.precision <= module.bits_stored:
        return True
    shift = module.high_bit + 1 - module.bits_stored
    container = _container(planes.samples) >> shift if shift else _container(planes.samples)
    if int(container.max()) >> module.bits_stored == 0:
        return True
    if not _is_signed(planes, module):
        return False
    low, high = _ends(module)
    values = _read_all(planes, module)
    return low <= int(values.min()) and int(values.max()) <= high


def _ends(module: PixelModule) -> tuple[int, int]:
    """Smallest and largest value by the header."""
    if module.is_signed:
        return -(1 << (module.bits_stored - 1)), (1 << (module.bits_stored - 1)) - 1
    return 0, (1 << module.bits_stored) - 1


def _is_signed(planes: Planes, module: PixelModule) -> bool:
    """Whether values may be negative, by the header or by the codestream."""
    return module.is_signed or planes.samples.dtype.kind == "i"


def _wider(planes: Planes, module: PixelModule) -> PixelModule:
    """Return a module in which the value includes all upper bits of a sample."""
    shift = module.high_bit + 1 - module.bits_stored
    return replace(
        module,
        bits_allocated=max(module.bits_allocated, 8 * planes.samples.dtype.itemsize),
        bits_stored=planes.precision - shift,
        high_bit=planes.precision - 1,
        is_signed=_is_signed(planes, module),
    )


def _read_all(planes: Planes, module: PixelModule) -> NDArray[Any]:
    return stored_values(planes.samples, _wider(planes, module), planes.precision)


def _has_words(planes: Planes) -> bool:
    """Whether samples fill words of the file; those with fewer bits come from a decoder."""
    width = planes.samples.dtype.itemsize
    return width in (2, 4) and planes.precision == 8 * width


def _is_swapped(planes: Planes, module: PixelModule) -> bool:
    """Whether the other byte order is much smoother than this one, in any interpretation."""
    if not _has_words(planes) or module.bits_stored <= 8:
        return False
    some = some_rows(planes.samples[0])
    as_is, swapped = (_readings(samples, planes, module) for samples in (some, _swapped(some)))
    return any(all(is_much_smoother(one, other) for other in as_is) for one in swapped)


def _readings(samples: NDArray[Any], planes: Planes, module: PixelModule) -> list[NDArray[Any]]:
    modules = (module, _wider(planes, module))
    return [stored_values(samples, one, planes.precision) for one in modules]


def _clamped(planes: Planes, module: PixelModule) -> Planes | None:
    """Clip values that a lossy compression has moved out of the range; None if it has not."""
    values, (low, high) = _read_all(planes, module), _ends(module)
    if module.high_bit != module.bits_stored - 1 or not is_overshoot(values, low, high):
        return None
    return replace(planes, samples=np.clip(values, low, high).astype(values.dtype))


def _all_bits(planes: Planes, module: PixelModule) -> tuple[PixelModule, tuple[str, ...]]:
    """Include the bits above Bits Stored in the value, or mask them."""
    wider = _wider(planes, module)
    masked = stored_values(planes.samples[0], module, planes.precision)
    values = stored_values(planes.samples[0], wider, planes.precision)
    above = wide(values) - wide(masked)
    if above.min() == above.max():
        return module, ()  # a constant in all pixels is not visible
    is_used = _continue_value(values, masked, 1 << module.bits_stored)
    if is_used is None:  # a precision that is not a multiple of 8 was set on purpose
        is_used = planes.precision % 8 != 0 or planes.precision > module.bits_allocated
    if not is_used:
        return module, (MASKED,)
    is_other = _is_other_sign(planes, wider)
    return replace(wider, is_signed=wider.is_signed != is_other), (USED,)


def _continue_value(values: NDArray[Any], masked: NDArray[Any], step: int) -> bool | None:
    """Whether the bits above Bits Stored belong to the value; None if that is not certain.

    Args:
        values: shape (rows, columns), with these bits.
        masked: without them.
        step: the lowest of them.
    """
    if masked.min() == masked.max():
        return True
    some, of_masked = some_rows(values), some_rows(masked)
    is_smoother = is_much_smoother(some, of_masked)
    if is_smoother and roughness(of_masked) > _NOISE:
        return True  # only noise remains without them
    above = wide(values) - wide(masked)
    rows = np.flatnonzero(above.min(axis=1) != above.max(axis=1))
    part = slice(max(0, rows.min() - 1), rows.max() + 2) if rows.size else slice(None)
    share = share_closer(values[part], masked[part], step)
    if share is None:
        return None
    if share >= SURE or share <= _NEVER:
        return share >= SURE
    # Neighbours at steep edges are more than half a step apart, and seem closer without the bits.
    return True if is_smoother else None


def _is_other_sign(planes: Planes, module: PixelModule) -> bool:
    """Whether Pixel Representation is wrong as well, if values exceed Bits Stored."""
    as_said, otherwise = (
        stored_values(planes.samples[0], replace(module, is_signed=is_signed), planes.precision)
        for is_signed in (module.is_signed, not module.is_signed)
    )
    share = share_closer(otherwise, as_said, 1 << module.bits_stored)
    return share is not None and share >= SURE


def _swapped(samples: NDArray[Any]) -> NDArray[Any]:
    return samples.view(samples.dtype.newbyteorder())


def _container(samples: NDArray[Any]) -> NDArray[Any]:
    native = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    bits: NDArray[Any] = native.view(f"u{native.dtype.itemsize}")
    return bits
