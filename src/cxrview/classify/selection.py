"""Which of the files found are a run's to read: its shard's, those not known, before its time."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cxrview.results.journal import Conditions
from cxrview.results.known_paths import KnownPaths
from cxrview.sources.shard import Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a run leaves to others, and to earlier ones; none of it is opened."""

    shard: Shard | None = None
    known: KnownPaths | None = None

    def conditions(self) -> Conditions:
        """Belong into the journal: under others, a resume would forget rows or miss files."""
        return {
            "shard": "all" if self.shard is None else str(self.shard),
            "known": "none" if self.known is None else str(self.known),
        }


class Selected:
    """The selected ones of some paths, to be taken once.

    Args:
        paths: as `find_images` gives them.
        selection: which of them.
        is_time_up: asked before each; when it says so, there are no more.

    The paths may be taken by another thread than the one that looks at the clock.
    """

    def __init__(
        self,
        paths: Iterable[str],
        selection: Selection,
        is_time_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._paths, self._selection, self._is_time_up = paths, selection, is_time_up
        self.known = 0
        """How many were left out as known."""
        self.is_time_up = self._is_over = False

    def __iter__(self) -> Iterator[str]:
        shard, known = self._selection.shard, self._selection.known
        for path in self._paths:
            if self._is_over or self.look_at_the_clock():
                return
            if shard and not shard.holds(path):
                continue
            if known and path in known:
                self.known += 1
                continue
            yield path

    def look_at_the_clock(self) -> bool:
        """Whether time is up; once it is, it stays so."""
        if not self.is_time_up and self._is_time_up():
            self.is_time_up = True
        return self.is_time_up

    def end(self) -> None:
        """Give out no more, also where somebody still waits for the next path."""
        self._is_over = True
