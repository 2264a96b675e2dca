"""A worker keeps the memory of one radiograph for the next."""

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
