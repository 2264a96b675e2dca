"""Where a training runs."""

import os
from dataclasses import dataclass

from cxrview.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What a training may use; it changes the last digits and the time, not what is shown."""

    device: str = "cpu"
    """As torch names it: `cpu`, `cuda`, `cuda:1`."""
    workers: int = 0
    """Processes that draw batches ahead of the network. 0 draws between the steps: on two cores,
    which the network keeps busy, that is the faster."""


PROCESSOR = Hardware()
"""The processor, which also draws."""


MOST_WORKERS = 16


def find_device(name: str) -> str:
    """`cpu` or `cuda`; of `auto` the latter where there is one.

    Raises:
        UsageError: there is no such device here.
    """
    import torch

    has_cuda = torch.cuda.is_available()
    if name == "auto":
        return "cuda" if has_cuda else "cpu"
    if name == "cpu" or (name.startswith("cuda") and has_cuda):
        return name
    raise UsageError(
        f"there is no device {name} here", "--device takes cpu, auto, or cuda where there is one"
    )


def find_hardware(device: str, workers: int | None) -> "Hardware":
    """The device of that name, as of `find_device`, and so many processes that draw for it.

    Where `workers` is None, none beside a processor that trains, and all cores but one, at most
    MOST_WORKERS, for a GPU.

    Raises:
        UsageError: there is no such device here.
    """

    found = find_device(device)
    if workers is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        workers = 0 if found == "cpu" else min(MOST_WORKERS, max(1, cores - 1))
    return Hardware(device=found, workers=workers)
