"""Progress of a training: callbacks, and event files that TensorBoard draws."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyWatch:
    """What a caller is told while a study runs."""

    stage: Callable[[str], None] = lambda name: None
    """A stage begins."""
    count: Callable[[int, int, str], None] = lambda more, total, what: None
    """So many more are done, of how many, and of what."""
    step: Callable[[int, int, float], None] = lambda step, total, loss: None
    """Number of a training's step, from 1, of how many, and its loss."""
    epoch: Callable[[int, int, float], None] = lambda epoch, total, accuracy: None
    """Epochs of a training done, of how many, and accuracy on held-out images, 0 to 1."""


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
