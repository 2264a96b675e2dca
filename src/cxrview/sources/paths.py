"""What the address of a file stands for: a local path, or a path in a file system of fsspec.

An archive's directory is read when its file system is made, which at 10,000 entries takes longer
than to read several of them. So the file system of the last archive is kept, in each process.
"""

import fnmatch
import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from cxrview.errors import UnreadableImage

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")
_Container = tuple[str, tuple[int, ...]]
"""The URL of an archive, and what tells one on the local disk from its successor there."""


def local_path(name: str) -> str:
    """Return the local path that a name stands for; empty where fsspec must open it.

    `file:///x` is `/x`: fsspec would wait for ever at a pipe.
    """
    if name.startswith("file://") and "::" not in name:
        return name.removeprefix("file://")
    return "" if _URL.match(name) and not os.path.lexists(name) else name


@contextmanager
def file_system(url: str) -> Iterator[tuple[Any, str]]:
    """Lend the file system behind a URL, and give the path in it.

    That of an archive is lent to one at a time, since few are made for threads: who comes
    meanwhile gets one of his own. One that was lent may be closed as soon as it is given back.

    Raises:
        Exception: whatever fsspec or the store has to say against it.
    """
    import fsspec

    first, _, rest = url.partition("::")
    protocol, is_url, _ = first.partition("://")
    kind = fsspec.get_filesystem_class(protocol) if is_url and rest else None
    if kind is None or not issubclass(kind, fsspec.archive.AbstractArchiveFileSystem):
        yield fsspec.core.url_to_fs(url)
        return
    container = (f"{protocol}://::{rest}", _facts(rest))
    files = _LAST.lend(container)
    is_sound = False
    try:
        yield files, kind._strip_protocol(first)
        is_sound = True
    except (UnreadableImage, FileNotFoundError):  # of one file in it
        is_sound = True
        raise
    finally:
        if is_sound:
            _LAST.give_back(container, files)
        else:
            _close(files)


def _facts(container: str) -> tuple[int, ...]:
    """Change when an archive on the local disk is replaced; of a distant one nothing is asked."""
    outermost = local_path(container.rpartition("::")[2])
    with suppress(OSError, ValueError):  # opening it will say why
        if outermost:
            facts = os.stat(outermost)  # noqa: PTH116 (a path may hold odd bytes)
            return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
    return ()


class _Last:
    """The file system of the archive that was asked for last, while nobody has it."""

    def __init__(self) -> None:
        self._kept: tuple[_Container, Any] | None = None
        self._lock = threading.Lock()
        self._making = threading.Lock()

    def lend(self, container: _Container) -> Any:
        """Take it off the shelf, or make one."""
        import fsspec

        if files := self._take(container):
            return files
        with self._making:  # else many threads that begin at once would all read the directory
            return self._take(container) or fsspec.core.url_to_fs(container[0])[0]

    def give_back(self, container: _Container, files: Any) -> None:
        """Keep it, and close the one that was kept till now."""
        with self._lock:
            before, self._kept = self._kept, (container, files)
        if before:
            _close(before[1])

    def _take(self, container: _Container) -> Any | None:
        with self._lock:
            if self._kept is None or self._kept[0] != container:
                return None
            files, self._kept = self._kept[1], None
            return files


_LAST = _Last()


def _close(files: Any) -> None:
    # It holds itself, so that it would stay open until the garbage is collected.
    several: tuple[Any, ...] = (files, getattr(files, "of", None))
    for opened in several:
        with suppress(Exception):  # what was only read loses nothing
            opened.close()


WILDCARD = re.compile(r"[*?\[]")
"""What makes a glob of a name; a name that is there is itself and no glob."""


def split_glob(pattern: str) -> tuple[str, tuple[str, ...]]:
    """Split a glob into the folder before its first wildcard and the parts from there on."""
    parts = pattern.split("/")
    first = next(k for k, part in enumerate(parts) if WILDCARD.search(part))
    base = "/".join(parts[:first])
    if first and not base:
        base = "/"
    return base, tuple(part for part in parts[first:] if part)


def matches(names: Sequence[str], parts: Sequence[str], *, or_below: bool = False) -> bool:
    """Whether a glob names a path.

    Names that begin with a dot match only where the glob has the dot.

    Args:
        names: of the path, folder after folder.
        parts: of the glob, likewise; `**` stands for any number of names.
        or_below: what lies in a folder that the glob names counts as well.
    """
    if not parts:
        return or_below or not names
    if parts[0] == "**" and matches(names, parts[1:], or_below=or_below):
        return True
    if not names or (names[0].startswith(".") and not parts[0].startswith(".")):
        return False
    if parts[0] == "**":
        return matches(names[1:], parts, or_below=or_below)
    is_named = fnmatch.fnmatchcase(names[0], parts[0])
    return is_named and matches(names[1:], parts[1:], or_below=or_below)


_CHAINED_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")


def absolute(path: str, folder: str = "") -> str:
    """A path from the root on, without asking the disk; a URL as it is, but `file://x` as `x`.

    Args:
        path: as a run found it.
        folder: where a relative path begins; where we stand if empty.
    """
    # abspath, not Path.resolve: it follows links, and each link is a row of its own.
    if path.startswith("/"):
        return os.path.abspath(path)  # noqa: PTH100
    before, chained, last = path.rpartition("::")
    if chained and _CHAINED_URL.match(before):  # zip://film.dcm::films.zip
        return f"{before}{chained}{absolute(last, folder)}"
    if path.startswith("file://"):
        return absolute(path.removeprefix("file://"), folder)
    if _CHAINED_URL.match(path):
        return path
    return os.path.abspath(os.path.join(folder, path))  # noqa: PTH100, PTH118 (odd bytes)


def unique_paths(paths: Iterable[str]) -> Iterator[str]:
    """Give each path when it comes for the first time, whichever way it is written.

    What came before stands in SQLite's temporary files.
    """
    import sqlite3  # here: a decode worker imports this module and never needs it

    with closing(sqlite3.connect("")) as seen:
        seen.execute("PRAGMA journal_mode = OFF")
        seen.execute("CREATE TABLE seen (path BLOB PRIMARY KEY) WITHOUT ROWID")
        for path in paths:
            if seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (path_key(path),)).rowcount:
                yield path


def path_key(path: str, folder: str = "") -> bytes:
    """The same for one file, however its path is written; not for two names of one file.

    Args:
        path: as a run found it.
        folder: where a relative path begins; where we stand if empty.
    """
    return os.fsencode(absolute(path, folder))
