"""Shows how far a run is: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from cxrview.errors import CxrviewError

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress(
    what: str, count: Callable[[], int | None] = lambda: None
) -> Iterator[Callable[[int], None]]:
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
        yield _Lines(what, total)


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
def _bar(what: str, total: _CountedBeside) -> Iterator[Callable[[int], None]]:
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

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeElapsedColumn(),
        TextColumn("remaining"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)

        def advance(done: int) -> None:
            bar.update(task, advance=done, total=total.value)

        yield advance


class _Lines:
    """One line every ten seconds, for logs."""

    def __init__(self, what: str, total: _CountedBeside) -> None:
        self._what, self._total = what, total
        self._began = self._last = time.monotonic()
        self._done = 0

    def __call__(self, done: int) -> None:
        self._done += done
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES:
            return
        self._last = now
        rate = self._done / (now - self._began)
        print(f"{self._done} {self._what}, {rate:.1f}/s{self._remaining(rate)}", file=sys.stderr)

    def _remaining(self, rate: float) -> str:
        if self._total.value is None:
            return ""
        minutes = (self._total.value - self._done) / rate / 60
        return f", of {self._total.value}, about {minutes:.0f} min remaining"
