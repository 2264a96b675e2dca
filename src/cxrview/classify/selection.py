"""Select the files that a run reads: those of its shard that earlier results do not know."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cxrview.errors import UsageError
from cxrview.results.files import Outputs
from cxrview.results.journal import Conditions
from cxrview.results.known_paths import KnownPaths
from cxrview.results.tables import files_of
from cxrview.sources.shard import Shard


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Files that a run leaves out: those of other machines' shards and of earlier results."""

    shard: Shard | None = None
    known: KnownPaths | None = None

    @classmethod
    def named(
        cls, shard: str | None = None, known: Sequence[Path] = (), out: Outputs | None = None
    ) -> Self:
        """Create it from a shard and earlier results.

        Args:
            shard: such as 3/8; None for all.
            known: results whose files are left out.
            out: the result that will be written; it must not replace a known one.

        Raises:
            UsageError: the shard or a result does not exist, or a known result would be replaced.
        """
        written = {path.resolve() for path in out.complete()} if out else set()
        for table in known:
            files_of(table)  # before the ending of the name is checked
            of_known = Outputs(table=table, in_parts=table.is_dir()).complete()
            if written & {path.resolve() for path in of_known}:
                raise UsageError(
                    f"{table} is given as known, and would be overwritten in part or whole",
                    "Choose another --out, and join the two with cxrview concat",
                )
        return cls(
            shard=Shard.named(shard) if shard else None,
            known=KnownPaths(known) if known else None,
        )

    def conditions(self) -> Conditions:
        """Conditions for the journal: a resume with other ones would drop rows or miss files."""
        return {
            "shard": "all" if self.shard is None else str(self.shard),
            "known": "none" if self.known is None else str(self.known),
        }


class Selected:
    """The selected ones of some paths; can be iterated over once.

    Args:
        paths: from `find_images`.
        selection: which of them to yield.
        is_time_up: called before each path; once it returns True, no more paths are yielded.

        Another thread than the one that checks the time may iterate over it.

    Attributes:
        known: number of paths left out as known.
        is_time_up: whether the time was up.
    """

    def __init__(
        self,
        paths: Iterable[str],
        selection: Selection,
        is_time_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._paths, self._selection, self._is_time_up = paths, selection, is_time_up
        self.known = 0
        self.is_time_up = self._is_over = False

    def __iter__(self) -> Iterator[str]:
        shard, known = self._selection.shard, self._selection.known
        for path in self._paths:
            if self._is_over or self.check_time():
                return
            if shard and not shard.holds(path):
                continue
            if known and path in known:
                self.known += 1
                continue
            yield path

    def check_time(self) -> bool:
        """Return whether the time is up; once True, always True."""
        if not self.is_time_up and self._is_time_up():
            self.is_time_up = True
        return self.is_time_up

    def end(self) -> None:
        """Yield no more paths, not even to a thread that is waiting for the next one."""
        self._is_over = True
