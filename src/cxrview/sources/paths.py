"""Paths and URLs: the file system behind them, globs, absolute paths and duplicates.

fsspec reads the directory of an archive when it opens the archive, which at 10,000 entries takes
longer than reading several of them. So each process keeps the file system of the last archive open.
"""

import fnmatch
import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

from cxrview.errors import UnreadableImage

WILDCARD = re.compile(r"[*?\[]")
"""Characters that make a name a glob, unless a file of that name exists."""
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")
_CHAINED_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::[A-Za-z][A-Za-z0-9+.-]*)*://")
_Container = tuple[str, tuple[int, ...]]
"""The URL of an archive, and facts that change when a local one is replaced."""


def local_path(name: str) -> str:
    """Return the local path that a name stands for; empty if fsspec must open it.

    `file:///x` is `/x`: fsspec would block for ever at a pipe.
    """
    if name.startswith("file://") and "::" not in name:
        return name.removeprefix("file://")
    return "" if _URL.match(name) and not os.path.lexists(name) else name


@contextmanager
def file_system(url: str) -> Iterator[tuple[Any, str]]:
    """Yield the file system behind a URL, and the path in it, for a `with` block.

    The file system of an archive has one user at a time, since few are thread-safe: another thread
    gets a new one. It may be closed after the block.

    Raises:
        Exception: any error of fsspec or the store.
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
    except (UnreadableImage, FileNotFoundError):  # the error of one file, not of the archive
        is_sound = True
        raise
    finally:
        if is_sound:
            _LAST.give_back(container, files)
        else:
            _close(files)


def _facts(container: str) -> tuple[int, ...]:
    """Return facts that change when a local archive is replaced; none of a remote one."""
    outermost = local_path(container.rpartition("::")[2])
    with suppress(OSError, ValueError):  # opening it reports the reason
        if outermost:
            facts = os.stat(outermost)  # noqa: PTH116 (a path may hold odd bytes)
            return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
    return ()


class _Last:
    """Cache of one: the file system of the last archive, while it is not in use."""

    def __init__(self) -> None:
        self._kept: tuple[_Container, Any] | None = None
        self._lock = threading.Lock()
        self._making = threading.Lock()

    def lend(self, container: _Container) -> Any:
        """Take the file system from the cache, or open a new one."""
        import fsspec

        if files := self._take(container):
            return files
        with self._making:  # otherwise many threads that start at once would all read the directory
            return self._take(container) or fsspec.core.url_to_fs(container[0])[0]

    def give_back(self, container: _Container, files: Any) -> None:
        """Put a file system into the cache, and close the one that it replaces."""
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
    # The object refers to itself, so that it would stay open until garbage collection.
    several: tuple[Any, ...] = (files, getattr(files, "of", None))
    for opened in several:
        with suppress(Exception):  # nothing was written that could be lost
            opened.close()


def split_glob(pattern: str) -> tuple[str, tuple[str, ...]]:
    """Split a glob into the folder before its first wildcard and the parts from there on."""
    parts = pattern.split("/")
    first = next(k for k, part in enumerate(parts) if WILDCARD.search(part))
    base = "/".join(parts[:first])
    if first and not base:
        base = "/"
    return base, tuple(part for part in parts[first:] if part)


def matches(names: Sequence[str], parts: Sequence[str], *, or_below: bool = False) -> bool:
    """Whether a glob matches a path.

    Names that begin with a dot match only where the glob has the dot.

    Args:
        names: parts of the path.
        parts: of the glob; `**` matches any number of names.
        or_below: also match paths in a folder that the glob matches.
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


def absolute(path: str, folder: str = "") -> str:
    """Make a path absolute without disk access; URLs are unchanged, `file://x` becomes `x`.

    Args:
        path: as a run found it.
        folder: that a relative path is relative to; the working directory if empty.
    """
    # abspath, not Path.resolve, which follows links: each link is a separate row.
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
    """Drop duplicate paths, however they are written, using a temporary SQLite table.

    Memory does not grow with the number of paths.
    """
    import sqlite3  # here: a decode worker imports this module and never uses sqlite3

    with closing(sqlite3.connect("")) as seen:
        seen.execute("PRAGMA journal_mode = OFF")
        seen.execute("CREATE TABLE seen (path BLOB PRIMARY KEY) WITHOUT ROWID")
        for path in paths:
            if seen.execute("INSERT OR IGNORE INTO seen VALUES (?)", (path_key(path),)).rowcount:
                yield path


def path_key(path: str, folder: str = "") -> bytes:
    """Return a key that is the same for all spellings of a path; a link and its target differ.

    Args:
        path: as a run found it.
        folder: that a relative path is relative to; the working directory if empty.
    """
    return os.fsencode(absolute(path, folder))
