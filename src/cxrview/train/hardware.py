"""Where a training runs."""

from dataclasses import dataclass


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
