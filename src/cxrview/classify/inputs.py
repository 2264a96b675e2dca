"""The inputs of a run: files, folders, globs, URLs, and lists of them; checks that they exist."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.image import find_images
from cxrview.results.columns import printable
from cxrview.sources.find import NothingMatches
from cxrview.sources.paths import WILDCARD, local_path

LIST = "-"
"""Stands for the list among the names, as on the command line (standard input)."""
MAX_NAMED = 1_000
"""A longer sequence is treated as a list, since the names are stored in the summary and compared at
a resume."""
MAX_WRONG = 10
"""Number of wrong names that an error lists: a shell may expand a pattern to thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The files that a run reads: names known at its start, and a list of more names.

    Attributes:
        names: files, folders, globs and URLs; `-` stands for the list.
        listed: names that are iterated over once, as they are needed, such as lines of standard
        input.
        is_literal: names of the list are not globs, whatever characters they have.
    """

    names: tuple[str, ...]
    listed: Iterable[str] = ()
    is_literal: bool = True

    @classmethod
    def of(
        cls, paths: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Inputs"
    ) -> "Inputs":
        """Convert a caller's argument.

        Args:
            paths: one name, or several. An iterable that is not a sequence, or is longer than
                MAX_NAMED, is iterated over as names are needed.

        Raises:
            TypeError: the argument is neither.
        """
        if isinstance(paths, Inputs):
            return paths
        if isinstance(paths, str | os.PathLike):
            return cls(names=(_literal(paths),))
        if isinstance(paths, bytes) or not isinstance(paths, Iterable):
            raise TypeError(
                "paths are a file, folder, glob or URL as str or pathlib.Path, or several of them; "
                f"got {type(paths).__name__}"
            )
        if isinstance(paths, Sequence) and len(paths) <= MAX_NAMED:
            return cls(names=tuple(_literal(path) for path in paths))
        listed = (os.fspath(path) for path in paths)
        return cls(names=(LIST,), listed=listed, is_literal=False)

    def check(self, *, may_be_away: bool = False) -> list[str]:
        """Check that every name stands for something, before any work is done.

        URLs and names of the list are not checked: a missing one becomes a failure when it is
        opened.

        Args:
            may_be_away: a local name need not exist, and a pattern need not match. For a resumed
                run, whose files existed before, so that what is missing is not mounted, or was
                deleted, rather than mistyped.

        Returns:
            The folders without files.

        Raises:
            UsageError: a name does not exist or a pattern matches nothing; all of them are named.
            CannotSortFolder: the disk for temporary files is full.
        """
        wrong: list[UsageError] = []
        empty: list[str] = []
        for name in self.names:
            if name == LIST:
                continue
            try:
                first = next(find_images([name]), None)
                if first is None:
                    empty.append(name)
                elif first == name and not may_be_away:
                    _need(name)
            except NothingMatches as error:
                if not may_be_away:
                    wrong.append(error)
            except UsageError as error:
                wrong.append(error)
        if len(wrong) == 1:
            raise wrong[0]
        if wrong:
            reasons = [error.reason for error in wrong[:MAX_WRONG]]
            if (more := len(wrong) - MAX_WRONG) > 0:
                reasons.append(f"and {more} more")
            raise UsageError("; ".join(reasons), "Check the names")
        return empty

    def find(self, leave_out: Collection[Path] = (), *, may_be_away: bool = False) -> Iterator[str]:
        """Yield every file that is named, found or listed.

        Args:
            leave_out: resolved paths to skip, such as the run's own output.
            may_be_away: as for `check`.

        Raises:
            UsageError: a glob matches nothing, or a name is empty.
            CannotSortFolder: a folder has more names than fit into temporary files.
        """
        for name in self.names:
            if name == LIST:
                yield from find_images(self.listed, leave_out=leave_out, is_literal=self.is_literal)
                continue
            try:
                yield from find_images([name], leave_out=leave_out)
            except NothingMatches:
                if not may_be_away:
                    raise


def _literal(path: str | os.PathLike[str]) -> str:
    """Return a caller's path as a name; a file called `-` becomes `./-`, since `-` is the list."""
    name = os.fspath(path)
    return f"./{name}" if name == LIST else name


def _need(path: str) -> None:
    """Raise UsageError if a local file or folder, or the local archive of a URL, is missing."""
    container = local_path(path.rpartition("::")[2])
    local = local_path(path) or ("" if WILDCARD.search(container) else container)
    try:
        if local:
            os.stat(local)  # noqa: PTH116 (a path may hold odd bytes)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UsageError(
            f"{printable(path)} cannot be found ({reason})", "Check the name"
        ) from error
