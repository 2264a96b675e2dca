"""Sorts the names in a folder, also where there are a million of them and memory is short."""

import os
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from heapq import merge
from itertools import islice
from typing import IO

from cxrview.errors import CannotSortFolder

Named = tuple[str, bool]
"""A name in a folder, and whether it is a folder itself."""

IN_MEMORY = 50_000
"""Names sorted in memory; more go to temporary files in sorted runs, which are then merged."""
_HEAD = struct.Struct("<IB")


class SortedNames:
    """Names in their order, to be taken once.

    Args:
        names: all of them are taken at once.
        most: held in memory at a time.

    Raises:
        CannotSortFolder: the temporary files cannot be written, or read back.
        OSError: `names` raised it.
    """

    def __init__(self, names: Iterable[Named], most: int = IN_MEMORY) -> None:
        ahead = iter(names)
        self._runs: list[IO[bytes]] = []
        self._last = sorted(islice(ahead, most))
        try:
            while further := sorted(islice(ahead, most)):
                self._runs.append(_spilled(self._last))
                self._last = further
        except BaseException:  # Ctrl-C too: nobody else could close them
            self._close()
            raise

    def __iter__(self) -> Iterator[Named]:
        with ExitStack() as stack:
            runs = [_read(stack.enter_context(run)) for run in self._runs]
            yield from merge(*runs, self._last)

    def _close(self) -> None:
        for run in self._runs:
            run.close()


def _spilled(names: Iterable[Named]) -> IO[bytes]:
    try:
        run = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it has been read)
    except OSError as error:
        raise _no_room(error) from error
    try:
        for name, is_folder in names:
            raw = os.fsencode(name)
            run.write(_HEAD.pack(len(raw), is_folder) + raw)
        run.seek(0)  # writes the rest out
    except OSError as error:
        with suppress(OSError):  # what is left of it cannot be written either
            run.close()
        raise _no_room(error) from error
    return run


def _read(run: IO[bytes]) -> Iterator[Named]:
    try:
        while head := run.read(_HEAD.size):
            length, is_folder = _HEAD.unpack(head)
            yield os.fsdecode(run.read(length)), bool(is_folder)
    except OSError as error:
        raise _no_room(error) from error


def _no_room(error: OSError) -> CannotSortFolder:
    # Not gettempdir(): where no folder can be written to, it raises anew.
    folder = tempfile.tempdir or os.environ.get("TMPDIR") or "the folder for temporary files"
    return CannotSortFolder(
        f"{folder} does not take the names of a large folder ({error.strerror or 'no room'})",
        "Make room there, or name a folder on another disk with TMPDIR, and go on with --resume",
    )
