"""The files that PATH arguments name: folders walked, globs matched, lists read."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cxrview.errors import UsageError

if TYPE_CHECKING:
    from cxrview.classify.selection import Selection


def check_paths(paths: list[str], *, must_exist: bool = False) -> None:
    """Refuse what names nothing before any work is done, and tell of folders without a file.

    Args:
        paths: as the command got them.
        must_exist: refuse also a name that is not there. A run lists it as a failure; in a shard
            that would be some other machine's, and an estimate would count it as a file.

    Raises:
        UsageError: a pattern matches nothing, or a name is not there.
        NoRoomForNames: temporary files find no room.
    """
    from cxrview.image import find_images

    for path in paths:
        if path == "-":
            continue
        first = next(find_images([path]), None)
        if first is None:
            typer.echo(f"{path} holds no file: is its disk mounted?", err=True)
        elif first == path and must_exist:
            _need(path)


def _need(path: str) -> None:
    from cxrview.image.address import local_path

    try:
        if local := local_path(path):
            os.stat(local)  # noqa: PTH116 (a path may hold odd bytes)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UsageError(f"{path} cannot be found ({reason})", "Check the name") from error


def find_paths(paths: list[str], leave_out: list[Path]) -> Iterator[str]:
    """Every file named, found or listed, but for what this run itself writes."""
    from cxrview.image import find_images

    for path in paths:
        if path == "-":
            yield from find_images(_listed(), leave_out=leave_out, is_literal=True)
        else:
            yield from find_images([path], leave_out=leave_out)


def _listed() -> Iterator[str]:
    # Not sys.stdin.buffer: Python closes that at its end, and dies where a thread reads it.
    with open(sys.stdin.fileno(), "rb", closefd=False) as lines:  # noqa: PTH123
        for line in lines:
            if name := os.fsdecode(line.rstrip(b"\r\n")):
                yield name


def count_paths(
    paths: list[str], leave_out: list[Path], selection: "Selection", done: int
) -> int | None:
    """How many files there are to do; None where a list is still coming in."""
    from cxrview.classify.selection import Selected
    from cxrview.store.each_once import each_once

    if "-" in paths:
        return None
    found = find_paths(paths, leave_out)
    if len(paths) > 1:  # one folder or glob names no file twice
        found = each_once(found)
    return max(0, sum(1 for _ in Selected(found, selection)) - done)
