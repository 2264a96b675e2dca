"""Progress of a training: callbacks, and event files for TensorBoard."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cxrview.callbacks import ignore


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWatch:
    """Callbacks for the progress of a training, of several, or of a study."""

    stage: Callable[[str], None] = ignore
    """A stage of this name begins."""
    count: Callable[[int, int, str], None] = ignore
    """So many more items are done, of how many in all (0 if unknown), and what they are."""
    step: Callable[[int, int, float], None] = ignore
    """A training step is done: its number, from 1, of how many, and its loss."""
    epoch: Callable[[int, int, float], None] = ignore
    """So many epochs are done, of how many, and the accuracy on held-out images, 0 to 1."""

    def counter(self, total: int, what: str) -> Callable[[int], None]:
        """Make a callback that takes only how many more items are done."""
        return lambda more: self.count(more, total, what)


def with_event_files(
    watch: TrainingWatch, folder: Path, *, accuracy_name: str = "validation accuracy"
) -> TrainingWatch:
    """Add event files of loss and accuracy to the callbacks.

    Args:
        watch: still called.
        folder: gets the event files.
        accuracy_name: the name that TensorBoard shows for the accuracy.
    """
    write = event_writer(folder)

    def step(number: int, total: int, loss: float) -> None:
        watch.step(number, total, loss)
        write("loss", loss, number)

    def epoch(done: int, total: int, accuracy: float) -> None:
        watch.epoch(done, total, accuracy)
        write(accuracy_name, accuracy, done)

    return replace(watch, step=step, epoch=epoch)


def event_writer(folder: Path) -> Callable[[str, float, int], None]:
    """Make a function that writes a named value of a step to a TensorBoard event file.

    Args:
        folder: gets the file when the first value is written.
    """
    from torch.utils.tensorboard import SummaryWriter

    writers: list[SummaryWriter] = []

    def write(name: str, value: float, step: int) -> None:
        if not writers:
            writers.append(SummaryWriter(str(folder)))
        writers[0].add_scalar(name, value, step)

    return write
