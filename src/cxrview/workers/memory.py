"""Keeps the memory of one radiograph for the next one, rather than hand it back in between.

The C library gives blocks of many megabytes back to the system as soon as they are free. The
next file then gets new ones, of which the system must fill every page with zeros first: of
run-length coded radiographs that took half of the time.
"""

from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h."""
KEPT_BYTES = 128 << 20
"""Of free memory a process keeps so much at the most."""
_LARGEST_BLOCK = 32 << 20
"""The most that glibc takes; a radiograph of 4,000 x 4,000 pixels of 16 bits."""


def tune_malloc() -> None:
    """Ask glibc to keep what is freed; nothing happens with another C library."""
    import ctypes

    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
