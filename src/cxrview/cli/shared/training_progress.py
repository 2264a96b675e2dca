"""Shows how far a training is: a line on stderr every ten seconds, with loss and remaining time."""

import sys
import time
from typing import TYPE_CHECKING

from cxrview.wording import counted

if TYPE_CHECKING:
    from cxrview.train.watch import StudyWatch

SECONDS_BETWEEN_LINES = 10.0


class TrainingLines:
    """Tells of steps, with the mean loss since the last line.

    Args:
        what: before each line, such as `grey/all-augmented: `.
    """

    def __init__(self, what: str = "") -> None:
        self._what = what
        self._last: float | None = None
        self._losses: list[float] = []
        self._counted, self._done, self._began, self._told = "", 0, 0.0, 0.0

    def step(self, step: int, total: int, loss: float) -> None:
        """Call after each step, counted from 1."""
        self._losses.append(loss)
        now = time.monotonic()
        if self._last is None:  # of the first step nobody knows when it began
            self._last, self._losses = now, []
            self.say(f"step {step} of {total}, loss {loss:.3f}")
            return
        if now - self._last < SECONDS_BETWEEN_LINES and step < total:
            return
        mean, rate = sum(self._losses) / len(self._losses), len(self._losses) / (now - self._last)
        minutes = (total - step) / rate / 60
        self.say(
            f"step {step} of {total}, loss {mean:.3f}, {rate:.2f} steps/s, about {minutes:.0f} min "
            "remaining"
        )
        self._last, self._losses = now, []

    def epoch(self, epoch: int, total: int, accuracy: float) -> None:
        """Call after each epoch with how many are done and the accuracy, 0 to 1."""
        self.say(f"after epoch {epoch} of {total}: validation accuracy {100 * accuracy:.2f} %")

    def count(self, more: int, total: int, what: str) -> None:
        """Call when so many more of `total`, 0 if unknown, are done; `what` is the unit."""
        if what != self._counted:
            self._counted, self._done, self._began = what, 0, time.monotonic()
            self._told = self._began
        self._done += more
        now = time.monotonic()
        if now - self._told < SECONDS_BETWEEN_LINES and self._done != total:
            return
        self._told = now
        rate = self._done / max(now - self._began, 1e-9)
        words = f"{counted(self._done, what)}, {rate:.1f}/s"
        if total and rate:
            minutes = (total - self._done) / rate / 60
            words = (
                f"{self._done} of {total} {what}, {rate:.1f}/s, about {minutes:.0f} min remaining"
            )
        self.say(words)

    def say(self, words: str) -> None:
        """Print one line."""
        print(f"{self._what}{words}", file=sys.stderr, flush=True)


def staged_watch() -> "StudyWatch":
    """Lines on stderr; each stage begins its own."""
    from cxrview.train.watch import StudyWatch

    lines = [TrainingLines()]

    def stage(name: str) -> None:
        lines[0] = TrainingLines(f"{name}: ")
        lines[0].say("begun, or gone on with")

    return StudyWatch(
        stage=stage,
        count=lambda more, total, what: lines[0].count(more, total, what),
        step=lambda step, total, loss: lines[0].step(step, total, loss),
        epoch=lambda epoch, total, accuracy: lines[0].epoch(epoch, total, accuracy),
    )
