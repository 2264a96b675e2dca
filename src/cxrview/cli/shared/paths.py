"""The PATH arguments of a command as the inputs of a run; `-` is a list on standard input."""

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxrview.classify.inputs import Inputs


def inputs_of(paths: Sequence[str]) -> "Inputs":
    """What the PATH arguments name.

    Args:
        paths: as the command got them.
    """
    from cxrview.classify.inputs import Inputs

    return Inputs(names=tuple(paths), listed=_lines_of_stdin())


def check_paths(paths: Sequence[str]) -> list[str]:
    """Refuse names that stand for nothing before any work is done; see `Inputs.check`."""
    return inputs_of(paths).check()


def find_paths(paths: Sequence[str], leave_out: Collection[Path] = ()) -> Iterator[str]:
    """Every file named, found or listed; see `Inputs.find`."""
    return inputs_of(paths).find(leave_out)


def _lines_of_stdin() -> Iterator[str]:
    # Not sys.stdin.buffer: Python closes that at its end, and dies where a thread reads it.
    with open(sys.stdin.fileno(), "rb", closefd=False) as lines:  # noqa: PTH123
        for line in lines:
            if name := os.fsdecode(line.rstrip(b"\r\n")):
                yield name
