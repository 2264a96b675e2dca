"""The files that PATH arguments name: folders walked, globs matched, lists read."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxrview.classify.selection import Selection


def check_paths(paths: list[str]) -> None:
    """Refuse a pattern that matches nothing before any work is done."""
    from cxrview.image import find_images

    for path in paths:
        if path != "-":
            next(find_images([path]), None)


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
