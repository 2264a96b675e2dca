"""In which order a run comes upon files: by its arguments, and of each name by name."""

import json
import os
from collections.abc import Iterator

from cxrview.sources.paths import WILDCARD, absolute, matches

LIST = "-"
"""The argument of a list on standard input."""
Place = tuple[int, list[str], str]
"""Number of the argument, names from the root on, archive."""


class FoundOrder:
    """Tells where in a run's order a path stands; to be sorted by.

    It is the order of `find_images` for folders, files, globs, and URLs of folders. Of the files
    of a list it is by name: where they stood in it is not known.

    Args:
        arguments: of the run, a list of absolute paths as JSON; by name alone where it is none.
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

    def place_of(self, path: str) -> Place:
        """Of an absolute path, as found and not as printed."""
        name, archive = _parted(path)
        named = [*self._above(name, archive), *self._matching(name, archive)]
        return min(named, default=self._otherwise), name.split("/"), archive

    def _above(self, name: str, archive: str) -> Iterator[int]:
        """The arguments that are a path or a folder above it."""
        parted = "/"
        while parted:
            if (name, archive) in self._first:
                yield self._first[name, archive]
            name, parted, _ = name.rpartition("/")

    def _matching(self, name: str, archive: str) -> Iterator[int]:
        """The globs that match a path, or a folder above it."""
        for number, parts, within in self._globs:
            if within == archive and matches(name.split("/"), parts, or_below=True):
                yield number


def _parted(path: str) -> tuple[str, str]:
    """A name, and the archive that it is in: zip://film.dcm and ::file:///films.zip."""
    name, chained, archive = path.partition("::")
    return (name, chained + archive) if "://" in name else (path, "")


def read_arguments(arguments: str) -> list[str]:
    """The arguments of a run by its conditions; none where not the command wrote them down."""
    try:
        return [str(path) for path in json.loads(arguments)]
    except (ValueError, TypeError):
        return []
