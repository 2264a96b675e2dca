"""What a run is given: names of files, folders, globs and URLs, and lists of names."""

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.image import find_images
from cxrview.results.columns import printable
from cxrview.sources.paths import WILDCARD, local_path

LIST = "-"
"""Stands for the list among the names, as on the command line."""
MOST_NAMED = 1_000
"""A longer sequence is taken as a list: a resume compares the names, and the summary holds them."""
MOST_WRONG = 10
"""Of wrong names, so many are reported: a shell may have made thousands of a pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Files that a run is to read: names that are known at its start, and a list of more.

    Attributes:
        names: files, folders, globs and URLs; `-` stands for the list.
        listed: names that are taken once, as they are needed, such as lines of standard input.
        is_literal: names of the list are not globs, whatever is in them.
    """

    names: tuple[str, ...]
    listed: Iterable[str] = ()
    is_literal: bool = True

    @classmethod
    def of(
        cls, paths: "str | os.PathLike[str] | Iterable[str | os.PathLike[str]] | Inputs"
    ) -> "Inputs":
        """Take what a caller named.

        Args:
            paths: one name, or several. Of an iterable that is not a sequence, or that is longer
                than MOST_NAMED, the names are taken as they are needed.

        Raises:
            TypeError: it is neither.
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
        if isinstance(paths, Sequence) and len(paths) <= MOST_NAMED:
            return cls(names=tuple(_literal(path) for path in paths))
        listed = (os.fspath(path) for path in paths)
        return cls(names=(LIST,), listed=listed, is_literal=False)

    def check(self, *, may_be_away: bool = False) -> list[str]:
        """Refuse names that stand for nothing before any work is done.

        A URL is not refused: what it stands for is known when it is opened. Neither is a name of
        the list. Either becomes a failure of its own.

        Args:
            may_be_away: a local name need not exist. For a run that is resumed: its folders
                existed, so that a missing one is not mounted, and not mistyped.

        Returns:
            The folders in which there is no file.

        Raises:
            UsageError: a name does not exist or a pattern matches nothing; all of them are named.
            CannotSortFolder: there is no space for temporary files.
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
            except UsageError as error:
                wrong.append(error)
        if len(wrong) == 1:
            raise wrong[0]
        if wrong:
            reasons = [error.reason for error in wrong[:MOST_WRONG]]
            if (more := len(wrong) - MOST_WRONG) > 0:
                reasons.append(f"and {more} more")
            raise UsageError("; ".join(reasons), "Check the names")
        return empty

    def find(self, leave_out: Collection[Path] = ()) -> Iterator[str]:
        """Give every file that is named, found or listed.

        Args:
            leave_out: resolved paths that are passed over, such as what the run itself writes.

        Raises:
            UsageError: a glob matches nothing, or a name is empty.
            CannotSortFolder: a folder has more names than fit, also in temporary files.
        """
        for name in self.names:
            if name == LIST:
                yield from find_images(self.listed, leave_out=leave_out, is_literal=self.is_literal)
            else:
                yield from find_images([name], leave_out=leave_out)


def _literal(path: str | os.PathLike[str]) -> str:
    """A name that a caller gave; a file called `-` is not the list."""
    name = os.fspath(path)
    return f"./{name}" if name == LIST else name


def _need(path: str) -> None:
    """Raise UsageError where a local file or folder, or the local archive of a URL, is missing."""
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
