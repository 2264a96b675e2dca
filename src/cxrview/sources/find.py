"""Find the files that the user's paths, folders, globs and URLs stand for."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from cxrview.errors import CannotOpen, UsageError
from cxrview.sources.paths import WILDCARD, file_system, local_path, matches, split_glob
from cxrview.sources.sorted_names import SortedNames

_WEB_WILDCARD = re.compile(r"[*\[]")


class NothingMatches(UsageError):
    """A pattern matches no file."""


class UnlistedFolder(str):
    """The path of a folder or URL that cannot be listed, yielded in place of its files.

    It becomes a failure, in every shard: which files are missing is not known.
    """

    reason: str
    """The message of the system; empty if opening the path reports the reason."""

    def __new__(cls, path: str, reason: str = "") -> Self:
        """Create it from the path and the message of the system."""
        made = super().__new__(cls, path)
        made.reason = reason
        return made

    def error(self) -> CannotOpen:
        """Return the error of the folder."""
        return CannotOpen(
            str(self),
            f"this folder cannot be listed ({self.reason})",
            "Its files were not read. Check its permissions or disk and run again",
        )


def find_images(
    paths: Iterable[str | Path] | str | Path,
    *,
    leave_out: Collection[Path] = (),
    is_literal: bool = False,
) -> Iterator[str]:
    """Find every file that the arguments name, of any format.

    Folders are walked depth first in the order of names, so that two runs give the same order.
    Links to folders are not followed inside a folder, so that there are no loops. Everything that
    is not a folder is yielded, pipes and broken links included, and a folder that cannot be
    listed as an `UnlistedFolder`: each becomes a failure with its reason, and nothing is dropped
    silently. At each depth at most 50,000 names are held in memory; a store behind a URL lists a
    folder in one piece.

    Args:
        paths: files, folders, globs (`**` for any depth; names that begin with a dot match only if
            the pattern begins with one), or fsspec URLs of these. The name of an existing file is
            never a glob. A name that does not exist is yielded unchanged.
        leave_out: resolved paths to skip, such as cxrview's own results.
        is_literal: names come from a list, and are never globs.

    Raises:
        UsageError: a glob matches nothing, or a name is empty.
        CannotSortFolder: a folder has more names, and the disk for temporary files is full.
    """
    unwanted = _LeaveOut(leave_out)
    for path in [paths] if isinstance(paths, str | Path) else paths:
        path = os.fspath(path)
        if not path:
            raise UsageError("a path is empty", "Is a shell variable not set?")
        if is_literal and (local := local_path(path)) and not _is_folder(local):
            if not unwanted.holds(local):
                yield path
        elif local := local_path(path):
            for found in _find_local(local, unwanted):
                yield _renamed(found, path[: len(path) - len(local)] + found)
        else:
            yield from _find_remote(path, is_literal)


def _find_local(path: str, unwanted: "_LeaveOut") -> Iterator[str]:
    if WILDCARD.search(path) and not os.path.lexists(path):
        yield from _at_least_one(path, _find_glob(path, unwanted))
    elif _is_folder(path):
        yield from _walk(path, unwanted)
    elif not unwanted.holds(path):
        yield path


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 (Path's raises where a folder above is closed)


def _renamed(found: str, name: str) -> str:
    return UnlistedFolder(name, found.reason) if isinstance(found, UnlistedFolder) else name


class _LeaveOut:
    """The paths to leave out; resolves only paths with a matching name, since resolving is slow."""

    def __init__(self, paths: Collection[Path]) -> None:
        self._paths = frozenset(paths)
        self._names = frozenset(path.name for path in paths)

    def holds(self, path: str) -> bool:
        if not self._paths:
            return False
        if os.path.basename(path) not in self._names and not os.path.islink(path):  # noqa: PTH119, PTH114
            return False
        return Path(os.path.realpath(path)) in self._paths


def _at_least_one(pattern: str, found: Iterator[str]) -> Iterator[str]:
    first = next(found, None)
    if first is None:
        raise NothingMatches(f"nothing matches {pattern}", "Check the pattern and its quotes")
    yield first
    yield from found


def _walk(folder: str, unwanted: _LeaveOut) -> Iterator[str]:
    # Not recursive: a tree may be deeper than Python's stack.
    stack = [_entries(folder)]
    while stack:
        for path, is_folder in stack[-1]:
            if unwanted.holds(path):
                continue
            if is_folder:
                stack.append(_entries(path))
                break
            yield path
        else:
            stack.pop()


def _entries(folder: str) -> Iterator[tuple[str, bool]]:
    """Yield (path, whether a folder) in the order of names; an `UnlistedFolder` on an error."""
    try:
        with os.scandir(folder) as entries:
            kinds = ((entry.name, _folder(entry)) for entry in entries)
            named = SortedNames((name, kind) for name, kind in kinds if kind is not None)
    except OSError as error:  # of the folder: sorting raises CannotSortFolder
        yield UnlistedFolder(folder, error.strerror or type(error).__name__), False
        return
    for name, is_folder in named:
        yield os.path.join(folder, name), is_folder  # noqa: PTH118 (keeps ./ and odd bytes)


def _folder(entry: "os.DirEntry[str]") -> bool | None:
    """Whether an entry is a folder; None for a link to a folder, which is not followed."""
    try:
        if not entry.is_dir():
            return False
        return None if entry.is_symlink() else True
    except OSError:
        return False


def _find_glob(pattern: str, unwanted: _LeaveOut) -> Iterator[str]:
    base, parts = split_glob(pattern)
    depth = None if "**" in parts else len(parts)
    above: list[tuple[str, ...]] = [()]
    stack = [_entries(base or ".")] if _is_folder(base or ".") else []
    while stack:
        for path, is_folder in stack[-1]:
            if isinstance(path, UnlistedFolder):  # its files could have matched
                yield path if base else _renamed(path, path.removeprefix("./"))
                continue
            if unwanted.holds(path):
                continue
            names = (*above[-1], os.path.basename(path))  # noqa: PTH119
            if matches(names, parts):
                shown = path if base else path.removeprefix("./")  # as in the pattern
                yield from _walk(shown, unwanted) if is_folder else (shown,)
            elif is_folder and (depth is None or len(names) < depth):
                stack.append(_entries(path))
                above.append(names)
                break
        else:
            stack.pop()
            above.pop()


def _find_remote(url: str, is_literal: bool) -> Iterator[str]:
    try:
        with file_system(url) as (files, path):
            found = _named_by(files, url, path, is_literal)
    except MemoryError:
        raise
    except Exception:  # opening it reports the reason
        yield url if is_literal else UnlistedFolder(url)
        return
    if found is None:
        yield url
    elif not found and WILDCARD.search(path):
        raise NothingMatches(f"nothing matches {url}", "Check the pattern")
    elif not found:
        yield UnlistedFolder(url)
    else:
        yield from _walk_remote(url, found, _url_as_given(url, files, path))


def _url_as_given(url: str, files: Any, path: str) -> Callable[[str], str]:
    """Return a function from a path of a file system to its URL, in the form of the one given.

    fsspec itself would name Azure's files `abfs://` where `az://` was given, and leave out the
    host of `sftp://host/` and the account of `abfs://container@account/`.
    """
    path = path.rstrip("/")
    if path and url.rstrip("/").endswith(path):
        before = url.rstrip("/").removesuffix(path)
        return lambda name: before + name
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    container, at, _ = host.partition("@")
    if at and f"{path}/".startswith(f"{container}/"):
        return lambda name: f"{scheme}://{host}{name.removeprefix(container)}"
    unstripped: Callable[[str], str] = files.unstrip_protocol
    return unstripped


def _named_by(files: Any, url: str, path: str, is_literal: bool) -> list[tuple[str, bool]] | None:
    """List (name, whether a folder) of what a URL names; None if it is one file."""
    is_web = url.startswith(("http://", "https://"))
    # In a web address ? begins the query.
    is_glob = not is_literal and (_WEB_WILDCARD if is_web else WILDCARD).search(path)
    if is_glob and not files.exists(path):
        found = files.glob(path, detail=True)
        kinds = ((name, facts["type"] == "directory") for name, facts in sorted(found.items()))
        return list(_outermost(kinds))
    if is_web:
        return None  # web servers have no folders
    if files.isdir(path):
        return [(path, True)]
    return None if is_literal or files.exists(path) else []


def _outermost(found: Iterable[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    """Drop what is inside a folder that was found as well and is walked: `**` finds both."""
    walked = set()
    for name, is_folder in found:
        above = name.rstrip("/")
        while above and above not in walked:
            above = above.rpartition("/")[0]
        if above in walked:
            continue
        if is_folder:
            walked.add(name.rstrip("/"))
        yield name, is_folder


def _walk_remote(
    url: str, found: list[tuple[str, bool]], url_of: Callable[[str], str]
) -> Iterator[str]:
    stack = [iter(found)]
    while stack:
        for name, is_folder in stack[-1]:
            if is_folder:
                stack.append(_entries_remote(url, name))
                break
            yield _renamed(name, _url_in(url, name) if "::" in url else url_of(name))
        else:
            stack.pop()


def _entries_remote(url: str, folder: str) -> Iterator[tuple[str, bool]]:
    from fsspec.archive import AbstractArchiveFileSystem

    try:
        with file_system(url) as (files, _):
            if isinstance(files, AbstractArchiveFileSystem):
                # Listing one folder of an archive reads all of its names, so that all are listed at
                # once.
                names = sorted(files.find(folder), key=lambda name: name.split("/"))
                listed = [{"name": name, "type": "file"} for name in names]
            else:
                listed = sorted(files.ls(folder, detail=True), key=lambda one: str(one["name"]))
                with suppress(Exception):  # the folder is listed, whatever the store does now
                    # Stores keep the listings of all folders for ever.
                    files.invalidate_cache(folder.rstrip("/"))
    except MemoryError:
        raise
    except Exception as error:  # its message may hold credentials
        yield UnlistedFolder(folder, getattr(error, "strerror", "") or type(error).__name__), False
        return
    for entry in listed:
        if entry["name"].rstrip("/") != folder.rstrip("/"):  # some stores list the folder too
            yield entry["name"], entry["type"] == "directory"


def _url_in(url: str, name: str) -> str:
    first, _, rest = url.partition("::")
    return f"{first.partition('://')[0]}://{name}::{rest}"
