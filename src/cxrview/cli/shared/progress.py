"""Shows how far a run is: a bar on a terminal, a plain line a minute elsewhere."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from cxrview.cli.shared.heartbeat import Heartbeat
from cxrview.errors import CxrviewError


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
