"""Memory of a worker process: a limit on it, and buffers that are reused between files."""

from contextlib import suppress
from pathlib import Path

LIMIT_BYTES = 4 << 30
"""Default memory limit of a worker process for one file."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h."""
KEPT_BYTES = 128 << 20
"""Maximum of free memory that a process keeps."""
_LARGEST_BLOCK = 32 << 20
"""The largest threshold that glibc accepts: a radiograph of 4,000 x 4,000 pixels of 16 bits."""


def tune_malloc() -> None:
    """Tune glibc malloc so that large buffers are reused between files.

    By default it returns blocks of many megabytes to the system as soon as they are freed, and
    the system fills each page of the next ones with zeros: half of the time that run-length coded
    radiographs took. Nothing happens with another C library.
    """
    import ctypes

    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        mallopt(_TRIM_THRESHOLD, KEPT_BYTES)


def limit_memory(more: int) -> None:
    """Limit the address space of this process; beyond it Python raises `MemoryError`.

    Only on Linux: other systems do not report or enforce it.

    Args:
        more: bytes beyond the current size of the process.
    """
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return
    import resource

    taken = int(statm.read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + more, taken + more))
