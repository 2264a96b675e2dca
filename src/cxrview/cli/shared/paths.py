"""Convert the PATH arguments of a command to `Inputs`; `-` is a list on standard input."""

import os
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cxrview.classify.inputs import Inputs


def inputs_of(paths: Sequence[str], manifest: str | None = None) -> "Inputs":
    """Return the inputs that the PATH arguments name.

    Args:
        paths: as on the command line.
        manifest: of --manifest, which takes the place of a list on standard input.

    Raises:
        typer.BadParameter: no input was given, or two lists of files were.
    """
    import typer

    from cxrview.classify.inputs import LIST, Inputs

    if manifest is not None:
        from cxrview.cluster.manifest import read_manifest

        if LIST in paths:
            raise typer.BadParameter("a list on standard input and --manifest exclude each other")
        return Inputs(names=(*paths, LIST), listed=read_manifest(manifest))
    if not paths:
        raise typer.BadParameter("name files or folders, or a list of them with --manifest")
    return Inputs(names=tuple(paths), listed=_lines_of_stdin())


def check_paths(paths: Sequence[str]) -> list[str]:
    """Check that all names stand for something, before any work is done; see `Inputs.check`."""
    return inputs_of(paths).check()


def find_paths(paths: Sequence[str], leave_out: Collection[Path] = ()) -> Iterator[str]:
    """Yield every file named, found or listed; see `Inputs.find`."""
    return inputs_of(paths).find(leave_out)


def _lines_of_stdin() -> Iterator[str]:
    # Not sys.stdin.buffer: Python closes it at exit, and aborts if a thread is reading it.
    with open(sys.stdin.fileno(), "rb", closefd=False) as lines:  # noqa: PTH123
        for line in lines:
            if name := os.fsdecode(line.rstrip(b"\r\n")):
                yield name
