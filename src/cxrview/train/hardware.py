"""The device and the processes of a training."""

import os
from dataclasses import dataclass

from cxrview.errors import UsageError
from cxrview.train.distributed import ALONE, Processes
from cxrview.wording import plural

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
    processes: Processes = ALONE
    """Processes that compute the rows of each batch."""


CPU = Hardware()
"""The processor, without worker processes."""


def find_device(name: str, processes: Processes = ALONE) -> str:
    """Find a device by its name; `auto` is `cuda` where it is available, otherwise `cpu`.

    Args:
        name: `auto`, `cpu`, `cuda` or a GPU by its number, such as `cuda:1`.
        processes: of this training. Those on one machine use different GPUs.

    Raises:
        UsageError: the device is not available, or there are fewer GPUs than processes.
    """
    import torch

    has_cuda = torch.cuda.is_available()
    if name == "auto":
        name = "cuda" if has_cuda else "cpu"
    if name == "cuda" and has_cuda and processes.count > 1:
        if processes.local_count > torch.cuda.device_count():
            raise UsageError(
                f"{processes.local_count} processes on a machine with "
                f"{plural(torch.cuda.device_count(), 'GPU')}",
                "Start at most one process per GPU, or use --device cpu",
            )
        return f"cuda:{processes.local_rank}"
    if name == "cpu" or (name.startswith("cuda") and has_cuda):
        return name
    raise UsageError(
        f"device {name} is not available", "--device takes cpu, auto, or cuda where there is a GPU"
    )


def find_hardware(device: str, workers: int | None, processes: Processes = ALONE) -> Hardware:
    """Find a device and choose the number of worker processes.

    Args:
        device: as for `find_device`.
        workers: None chooses 0 for a CPU; for a GPU all cores but one, at most MAX_WORKERS,
            divided among the processes of this machine.
        processes: of the training.

    Raises:
        UsageError: as for `find_device`.
    """
    found = find_device(device, processes)
    if workers is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        cores //= processes.local_count
        workers = 0 if found == "cpu" else min(MAX_WORKERS, max(1, cores - 1))
    return Hardware(device=found, workers=workers, processes=processes)
