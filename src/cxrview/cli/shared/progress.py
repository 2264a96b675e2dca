"""Report progress on standard error.

A run over files is shown as a bar on a terminal and as a line every minute elsewhere (`progress`),
a training as a line every ten seconds (`TrainingLines`). `remaining` estimates the time.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from cxrview.errors import CxrviewError
from cxrview.wording import counted

if TYPE_CHECKING:
    from cxrview.train.callbacks import TrainingWatch

SECONDS_BETWEEN_LINES = 60.0
SECONDS_BETWEEN_TRAINING_LINES = 10.0


def remaining(done: float, seconds: float, left: float) -> str:
    """Estimate the remaining time, in words, by the mean speed so far.

    Args:
        done: number of units done, more than 0.
        seconds: time that these took.
        left: number of units left.
    """
    minutes = max(0.0, left) * seconds / done / 60
    return f"about {minutes:.0f} min remaining"


class Advance(Protocol):
    """Callback for finished work."""

    def __call__(self, done: int, failed: int = 0) -> None:
        """Report that `done` more units are done, of which `failed` failed."""


@contextmanager
def progress(what: str, count: Callable[[], int | None] = lambda: None) -> Iterator[Advance]:
    """Show progress on stderr during the block; yield the callback that reports finished units.

    Args:
        what: the unit in the plural, such as `images`.
        count: returns the total, or None if it is unknown. It runs in a thread, since counting
            a large archive takes minutes.
    """
    total = _CountedBeside(count)
    if sys.stderr.isatty():
        with _bar(what, total) as advance:
            yield advance
    else:
        with Heartbeat(what, lambda: total.value) as beat:
            yield beat


class _CountedBeside:
    """A number that a thread determines; None until then, or if it fails."""

    def __init__(self, count: Callable[[], int | None]) -> None:
        self.value: int | None = None
        threading.Thread(target=self._find, args=(count,), daemon=True).start()

    def _find(self, count: Callable[[], int | None]) -> None:
        # Errors in the paths are reported once, by the work itself.
        with suppress(CxrviewError, OSError):
            self.value = count()


@contextmanager
def _bar(what: str, total: _CountedBeside) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Column of the rate, in units per second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed or 0:.1f} {what}/s")

    class Failed(ProgressColumn):
        """Column of the number of failures, if there are any."""

        def render(self, task: Task) -> Text:
            failed = task.fields["failed"]
            return Text(f"{failed} failed" if failed else "", style="red")

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("remaining"),
        TimeRemainingColumn(),
        Failed(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, failed=0)

        def advance(done: int, failed: int = 0) -> None:
            shown = bar.tasks[task].fields["failed"] + failed
            bar.update(task, advance=done, total=total.value, failed=shown)

        yield advance


class Heartbeat:
    """Counts finished work and prints a line at intervals; a context manager.

    Args:
        what: the unit in the plural, such as `images`.
        total: number of units; None while it is unknown.
        seconds: between two lines.
    """

    def __init__(
        self,
        what: str,
        total: Callable[[], int | None],
        *,
        seconds: float = SECONDS_BETWEEN_LINES,
    ) -> None:
        self._what, self._total, self._seconds = what, total, seconds
        self._done = self._failed = self._printed = 0
        self._began = self._looked = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def __call__(self, done: int, failed: int = 0) -> None:
        """Count further finished units, and how many of them failed."""
        self._done += done
        self._failed += failed

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds):
            with suppress(OSError, ValueError):  # stderr was closed
                print(self._line(), file=sys.stderr, flush=True)

    def _line(self) -> str:
        done, now, total = self._done, time.monotonic(), self._total()
        rate = (done - self._printed) / (now - self._looked)
        self._printed, self._looked = done, now
        line = f"{counted(done, self._what)}, {rate:.1f}/s, {self._failed} failed"
        if total is None:
            return line
        line += f", of {total}"
        return f"{line}, {remaining(done, now - self._began, total - done)}" if done else line


class TrainingLines:
    """Prints the progress of a training, a line every ten seconds.

    Args:
        what: printed before each line, such as `grey/all-augmented: `.
    """

    def __init__(self, what: str = "") -> None:
        self._what = what
        self._losses: list[float] = []
        self._first_step, self._first_time = 0, 0.0
        self._unit, self._done, self._began, self._printed = "", 0, 0.0, 0.0

    def step(self, step: int, total: int, loss: float) -> None:
        """Call after each step, counted from 1; printed with the mean loss since the last line."""
        now = time.monotonic()
        if not self._first_step:  # its start is not known, so that it is not timed
            self._first_step, self._first_time, self._printed = step, now, now
            self.say(f"step {step} of {total}, loss {loss:.3f}")
            return
        self._losses.append(loss)
        if now - self._printed < SECONDS_BETWEEN_TRAINING_LINES and step < total:
            return
        mean = sum(self._losses) / len(self._losses)
        rate = len(self._losses) / max(now - self._printed, 1e-9)
        timed = step - self._first_step
        self.say(
            f"step {step} of {total}, loss {mean:.3f}, {rate:.2f} steps/s, "
            f"{remaining(timed, now - self._first_time, total - step)}"
        )
        self._losses, self._printed = [], now

    def epoch(self, epoch: int, total: int, accuracy: float) -> None:
        """Call after each epoch with the number of epochs done and the accuracy, 0 to 1."""
        self.say(f"after epoch {epoch} of {total}: validation accuracy {100 * accuracy:.2f} %")

    def count(self, more: int, total: int, unit: str) -> None:
        """Call when `more` units are done of `total`, which is 0 if unknown."""
        now = time.monotonic()
        if unit != self._unit:
            self._unit, self._done, self._began, self._printed = unit, 0, now, now
        self._done += more
        if now - self._printed < SECONDS_BETWEEN_TRAINING_LINES and self._done != total:
            return
        self._printed = now
        seconds = max(now - self._began, 1e-9)
        words = f"{counted(self._done, unit)}, {self._done / seconds:.1f}/s"
        if total and self._done:
            words = (
                f"{self._done} of {total} {unit}, {self._done / seconds:.1f}/s, "
                f"{remaining(self._done, seconds, total - self._done)}"
            )
        self.say(words)

    def say(self, words: str) -> None:
        """Print one line."""
        print(f"{self._what}{words}", file=sys.stderr, flush=True)


def staged_watch() -> "TrainingWatch":
    """Return callbacks that print the progress of a study, each line with the name of its stage."""
    from cxrview.train.callbacks import TrainingWatch

    lines = [TrainingLines()]

    def stage(name: str) -> None:
        lines[0] = TrainingLines(f"{name}: ")
        lines[0].say("started or resumed")

    return TrainingWatch(
        stage=stage,
        count=lambda more, total, unit: lines[0].count(more, total, unit),
        step=lambda step, total, loss: lines[0].step(step, total, loss),
        epoch=lambda epoch, total, accuracy: lines[0].epoch(epoch, total, accuracy),
    )
