"""A worker keeps the memory of one radiograph for the next; a service returns what is free."""

import platform
import subprocess
import sys

import pytest

PAGES = """
import resource
import numpy as np
{}
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    [np.ones(10 << 20, np.uint8) for _ in range(3)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(min(faults() for _ in range(3)))
"""
KEEP = "from cxrview.workers.memory import tune_malloc; tune_malloc()"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_thirty_megabytes_are_had_again_without_new_pages():
    kept = subprocess.run(
        [sys.executable, "-c", PAGES.format(KEEP)], capture_output=True, text=True
    )

    assert kept.stderr == ""
    assert int(kept.stdout) < 100


HEAPS = """
import ctypes
import threading
{}
c = ctypes.CDLL(None)
c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
together = threading.Barrier(16)
def allocate():
    together.wait()
    for _ in range(20_000):  # without the interpreter's lock
        c.free(c.malloc(2000))
threads = [threading.Thread(target=allocate) for _ in range(16)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
c.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
c.fflush.argtypes = [ctypes.c_void_p]
c.malloc_info(0, ctypes.c_void_p.in_dll(c, "stdout"))
c.fflush(None)
"""
BOUND = "from cxrview.workers.memory import bound_freed_memory; bound_freed_memory()"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_threads_of_a_service_share_two_heaps():
    heaps = [
        subprocess.run(
            [sys.executable, "-c", HEAPS.format(first)], capture_output=True, text=True, check=True
        ).stdout.count("<heap nr=")
        for first in ("", BOUND)
    ]

    assert heaps[1] <= 2 < heaps[0]
