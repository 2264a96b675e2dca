"""Limits on one file: size, pixels, nesting, decompression bombs; checked before allocation."""

from dataclasses import dataclass

from cxrview.errors import TooLarge

FREE_BYTES = 64 << 20
"""Inflated size that is always allowed, whatever the ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits on one file. A file beyond them is `TooLarge` or `NestedTooDeep`.

    Attributes:
        max_file_bytes: size of the file on the disk.
        max_pixel_bytes: rows x columns x samples x frames x bytes, as the header and the codestream
            declare them. All frames count, although only the first is decoded. It is also the limit
            on an inflated stream.
            max_inflate_ratio: inflated bytes per deflated byte, checked only beyond `FREE_BYTES`,
            since an image of one value has the ratio of a decompression bomb, but is small. Real
            radiographs reach 10.
        max_nesting: sequences within sequences. Structured reports, the deepest, rarely exceed 20.
    """

    max_file_bytes: int = 2 << 30
    max_pixel_bytes: int = 1 << 30
    max_inflate_ratio: int = 200
    max_nesting: int = 64

    def __post_init__(self) -> None:
        if min(self.max_file_bytes, self.max_pixel_bytes) < 1:
            raise ValueError("limits must be at least one byte")
        if min(self.max_inflate_ratio, self.max_nesting) < 1:
            raise ValueError("limits must be at least one")


def check_pixels(path: str, size: int, limits: Limits) -> None:
    """Check the size of the pixels before memory is allocated for them.

    Args:
        path: for the error only.
        size: bytes by rows, columns, samples, frames and depth.
        limits: the limits.

    Raises:
        TooLarge: `size` is above `max_pixel_bytes`.
    """
    if size > limits.max_pixel_bytes:
        raise TooLarge(
            path,
            f"its pixels would take {size:,} bytes, and {limits.max_pixel_bytes:,} are allowed",
            "Raise the limit with --max-pixel-mib (Limits.max_pixel_bytes) if it is a radiograph",
        )


def inflated_cap(size: int, limits: Limits) -> int:
    """Return the limit on the inflated size of `size` deflated bytes."""
    return min(limits.max_pixel_bytes, max(FREE_BYTES, size * limits.max_inflate_ratio))


def check_inflation(path: str, deflated: int, inflated: int, limits: Limits) -> None:
    """Check that a stream does not inflate beyond `inflated_cap`.

    Raises:
        TooLarge: it does.
    """
    if inflated > inflated_cap(deflated, limits):
        raise TooLarge(
            path,
            f"its {deflated:,} compressed bytes would decompress to more than "
            f"{inflated_cap(deflated, limits):,}",
            "It looks like a decompression bomb; raise the limits only if its source is trusted",
        )
