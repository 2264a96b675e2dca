"""Shows how far a run is: a bar on a terminal, a plain line a minute elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from cxrview.errors import CxrviewError
from cxrview.wording import counted


class Advance(Protocol):
    """Takes note of work."""

    def __call__(self, done: int, failed: int = 0) -> None:
        """So many more are done, and so many of these failed."""


@contextmanager
def progress(what: str, count: Callable[[], int | None] = lambda: None) -> Iterator[Advance]:
    """Show progress on stderr while the block runs; call the result with how many more are done.

    Args:
        what: the unit in the plural, such as `images`.
        count: finds the total, or None where it can't be known. It runs beside the work,
            since to walk a large archive takes minutes.
    """
    total = _CountedBeside(count)
    if sys.stderr.isatty():
        with _bar(what, total) as advance:
            yield advance
    else:
        with Heartbeat(what, lambda: total.value) as beat:
            yield beat


class _CountedBeside:
    """A number that a thread is still finding out; None until then, and where it can't."""

    def __init__(self, count: Callable[[], int | None]) -> None:
        self.value: int | None = None
        threading.Thread(target=self._find, args=(count,), daemon=True).start()

    def _find(self, count: Callable[[], int | None]) -> None:
        # What is wrong with the paths is for the work itself to say, once.
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
        """Units a second."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.speed or 0:.1f} {what}/s")

    class Failed(ProgressColumn):
        """How many failed, where any did."""

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


SECONDS_BETWEEN_LINES = 60.0


class Heartbeat:
    """Counts what is done and says it now and then; a context manager.

    Args:
        what: the unit in the plural, such as `images`.
        total: how many there will be; None while that is not known.
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
        self._done = self._failed = self._told = 0
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
        """Count more that is done, and how many of them failed."""
        self._done += done
        self._failed += failed

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds):
            with suppress(OSError, ValueError):  # whoever read stderr has gone
                print(self._line(), file=sys.stderr, flush=True)

    def _line(self) -> str:
        done, now, total = self._done, time.monotonic(), self._total()
        rate = (done - self._told) / (now - self._looked)
        self._told, self._looked = done, now
        line = f"{counted(done, self._what)}, {rate:.1f}/s, {self._failed} failed"
        if total is None:
            return line
        line += f", of {total}"
        if not done:
            return line
        minutes = max(0, total - done) * (now - self._began) / done / 60
        return f"{line}, about {minutes:.0f} min remaining"
