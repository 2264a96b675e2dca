"""The device and the worker processes of a training."""

import os
from dataclasses import dataclass

from cxrview.errors import UsageError

MAX_WORKERS = 16
"""Worker processes that `find_hardware` chooses at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What a training may use. It changes rounding and time, never the batches."""

    device: str = "cpu"
    """As torch names it: `cpu`, `cuda`, `cuda:1`."""
    workers: int = 0
    """Processes that prepare batches in advance. 0 prepares them between the steps, which is faster
    on two cores, since the model keeps both busy."""


CPU = Hardware()
"""The processor, without worker processes."""


def find_device(name: str) -> str:
    """Find a device by its name; `auto` is `cuda` where it is available, otherwise `cpu`.

    Raises:
        UsageError: the device is not available.
    """
    import torch

    has_cuda = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if has_cuda else "cpu"
    if name == "cpu" or (name.startswith("cuda") and has_cuda):
        return name
    raise UsageError(
        f"device {name} is not available", "--device takes cpu, auto, or cuda where there is a GPU"
    )


def find_hardware(device: str, workers: int | None) -> Hardware:
    """Find a device and choose the number of worker processes.

    Args:
        device: as for `find_device`.
        workers: None chooses 0 for a CPU; for a GPU all cores but one, at most MAX_WORKERS.

    Raises:
        UsageError: the device is not available.
    """
    found = find_device(device)
    if workers is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        workers = 0 if found == "cpu" else min(MAX_WORKERS, max(1, cores - 1))
    return Hardware(device=found, workers=workers)
