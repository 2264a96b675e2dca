"""Bounds on the memory and the time of one check."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MOST_BYTES = 2 << 30
"""Far more than any sound file of the seeds takes, and less than a wrong size asks for."""
MOST_SECONDS = 10.0
"""Processor time; the slowest checks take a tenth."""


@contextmanager
def bounded() -> Iterator[None]:
    """Limit the address space that the block may add, and check the time that it takes.

    Beyond the memory Python raises `MemoryError`, which no check expects.

    Raises:
        AssertionError: the block took too long.
    """
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + MOST_BYTES, before[1]))
    began = time.process_time()
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    seconds = time.process_time() - began
    assert seconds < MOST_SECONDS, f"the check took {seconds:.1f} s"
