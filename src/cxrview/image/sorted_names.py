"""Sorts the names in a folder, also where there are a million of them and memory is short."""

import os
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from itertools import islice
from typing import IO

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
    """

    def __init__(self, names: Iterable[Named], most: int = IN_MEMORY) -> None:
        ahead = iter(names)
        self._runs: list[IO[bytes]] = []
        self._last = sorted(islice(ahead, most))
        while further := sorted(islice(ahead, most)):
            self._runs.append(_spilled(self._last))
            self._last = further

    def __iter__(self) -> Iterator[Named]:
        with ExitStack() as stack:
            runs = [_read(stack.enter_context(run)) for run in self._runs]
            yield from merge(*runs, self._last)


def _spilled(names: Iterable[Named]) -> IO[bytes]:
    run = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it has been read)
    for name, is_folder in names:
        raw = os.fsencode(name)
        run.write(_HEAD.pack(len(raw), is_folder) + raw)
    run.seek(0)
    return run


def _read(run: IO[bytes]) -> Iterator[Named]:
    while head := run.read(_HEAD.size):
        length, is_folder = _HEAD.unpack(head)
        yield os.fsdecode(run.read(length)), bool(is_folder)
