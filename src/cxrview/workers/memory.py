"""Memory of a process: a limit on it, and what the C library keeps of freed memory."""

from contextlib import suppress
from pathlib import Path

LIMIT_BYTES = 4 << 30
"""Default memory limit of a worker process for one file."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX of malloc.h."""
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
    _set_malloc({_MMAP_THRESHOLD: _LARGEST_BLOCK, _TRIM_THRESHOLD: KEPT_BYTES})


def bound_freed_memory() -> None:
    """Have glibc malloc return freed memory, in a process of many threads that runs for months.

    By default up to eight threads for each core have a heap of their own, of which freed memory
    is kept; and once a block of some megabytes was freed, blocks of that size come from these
    heaps too. A service that starts a thread for each association then grows for hours. Nothing
    happens with another C library.
    """
    _set_malloc({_ARENA_MAX: 2, _MMAP_THRESHOLD: 1 << 20, _TRIM_THRESHOLD: 1 << 20})


def _set_malloc(parameters: dict[int, int]) -> None:
    import ctypes

    with suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for number, value in parameters.items():
            mallopt(number, value)


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
