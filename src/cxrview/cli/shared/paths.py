"""Finds the files that PATH arguments name: folders, globs, and a list on standard input."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.classify.selection import Selection


MOST_NAMED = 10
"""Wrong names that a message lists; a shell may have made thousands of a pattern."""


def check_paths(paths: list[str], *, may_be_away: bool = False) -> list[str]:
    """Refuse names that match nothing, before any work is done.

    URLs and the lines of a list on standard input are not checked; one that cannot be opened
    becomes a failure of the run.

    Args:
        paths: as given to the command.
        may_be_away: accept local names that do not exist. For a run that is resumed: its
            folders did exist, so a missing one is not mounted rather than mistyped.

    Returns:
        The folders that hold no file.

    Raises:
        UsageError: names do not exist or patterns match nothing; the message lists them.
        CannotSortFolder: there is no space for temporary files.
    """
    from cxrview.image import find_images

    wrong: list[UsageError] = []
    empty: list[str] = []
    for path in paths:
        if path == "-":
            continue
        try:
            first = next(find_images([path]), None)
            if first is None:
                empty.append(path)
            elif first == path and not may_be_away:
                _need(path)
        except UsageError as error:
            wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        reasons = [error.reason for error in wrong[:MOST_NAMED]]
        if (more := len(wrong) - MOST_NAMED) > 0:
            reasons.append(f"and {more} more")
        raise UsageError("; ".join(reasons), "Check the names")
    return empty


def _need(path: str) -> None:
    """Raise UsageError where a local file or folder, or the local archive of a URL, is missing."""
    from cxrview.results.columns import printable
    from cxrview.sources.paths import WILDCARD, local_path

    container = local_path(path.rpartition("::")[2])
    local = local_path(path) or ("" if WILDCARD.search(container) else container)
    try:
        if local:
            os.stat(local)  # noqa: PTH116 (a path may hold odd bytes)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UsageError(
            f"{printable(path)} cannot be found ({reason})", "Check the path"
        ) from error


def find_paths(paths: list[str], leave_out: list[Path]) -> Iterator[str]:
    """Every file that is named, found or listed, without those that this run writes.

    Args:
        paths: as given to the command.
        leave_out: files and folders of the result.
    """
    from cxrview.image import find_images

    for path in paths:
        if path == "-":
            yield from find_images(_listed(), leave_out=leave_out, is_literal=True)
        else:
            yield from find_images([path], leave_out=leave_out)


def _listed() -> Iterator[str]:
    # Not sys.stdin.buffer: Python closes that on exit, and crashes if a thread is reading it.
    with open(sys.stdin.fileno(), "rb", closefd=False) as lines:  # noqa: PTH123
        for line in lines:
            if name := os.fsdecode(line.rstrip(b"\r\n")):
                yield name


def count_paths(
    paths: list[str], leave_out: list[Path], selection: "Selection", done: int
) -> int | None:
    """Number of files still to do; None for a list on standard input, which may not be complete."""
    from cxrview.classify.selection import Selected
    from cxrview.sources.paths import unique_paths

    if "-" in paths:
        return None
    found = find_paths(paths, leave_out)
    if len(paths) > 1:  # one folder or glob names no file twice
        found = unique_paths(found)
    return max(0, sum(1 for _ in Selected(found, selection)) - done)
