"""Losses and accuracies as event files that TensorBoard draws."""

from collections.abc import Callable
from pathlib import Path


def event_writer(folder: Path) -> Callable[[str, float, int], None]:
    """Make a function that notes down a value under a name, at a step.

    Args:
        folder: gets an event file when the first value is noted.
    """
    from torch.utils.tensorboard import SummaryWriter

    writers: list[SummaryWriter] = []

    def note(name: str, value: float, step: int) -> None:
        if not writers:
            writers.append(SummaryWriter(str(folder)))
        writers[0].add_scalar(name, value, step)

    return note
