"""Sort key of a run's files: by its arguments, then by name."""

import json
import os
from collections.abc import Iterator

from cxrview.sources.paths import WILDCARD, absolute, matches

LIST = "-"
"""The argument of a list on standard input."""
SortKey = tuple[int, list[str], str]
"""Number of the argument, names from the root on, archive."""


class FoundOrder:
    """Sort key for the paths of a run.

    It is the order of `find_images` for folders, files, globs, and URLs of folders. Files of a
    list are sorted by name: their order in it is not known.

    Args:
        arguments: of the run, a JSON list of absolute paths; if it is something else, all files are
            sorted by name.
    """

    def __init__(self, arguments: str) -> None:
        paths = [absolute(path) if path != LIST else LIST for path in read_arguments(arguments)]
        self._first: dict[tuple[str, str], int] = {}
        self._globs: list[tuple[int, list[str], str]] = []
        for number, path in enumerate(paths):
            name, archive = _parted(path)
            self._first.setdefault((name.rstrip("/"), archive), number)
            if WILDCARD.search(name) and not os.path.lexists(path):
                self._globs.append((number, name.split("/"), archive))
        self._otherwise = self._first.get((LIST, ""), len(paths))

    def place_of(self, path: str) -> SortKey:
        """Return the key of an absolute path, as found and not as printed."""
        name, archive = _parted(path)
        named = [*self._above(name, archive), *self._matching(name, archive)]
        return min(named, default=self._otherwise), name.split("/"), archive

    def _above(self, name: str, archive: str) -> Iterator[int]:
        """Yield the numbers of the arguments that are this path or a folder above it."""
        parted = "/"
        while parted:
            if (name, archive) in self._first:
                yield self._first[name, archive]
            name, parted, _ = name.rpartition("/")

    def _matching(self, name: str, archive: str) -> Iterator[int]:
        """Yield the numbers of the globs that match this path, or a folder above it."""
        for number, parts, within in self._globs:
            if within == archive and matches(name.split("/"), parts, or_below=True):
                yield number


def _parted(path: str) -> tuple[str, str]:
    """Split into name and archive: zip://film.dcm and ::file:///films.zip."""
    name, chained, archive = path.partition("::")
    return (name, chained + archive) if "://" in name else (path, "")


def read_arguments(arguments: str) -> list[str]:
    """Parse the arguments in the conditions of a run; empty if there are none."""
    try:
        return [str(path) for path in json.loads(arguments)]
    except (ValueError, TypeError):
        return []
