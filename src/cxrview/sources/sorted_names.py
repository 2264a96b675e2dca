"""Sort the names in a folder, in little memory even for a million names."""

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
    """Sorted names, which can be iterated once.

    Args:
        names: consumed at once.
        most: names held in memory at a time.

    Raises:
        CannotSortFolder: temporary files cannot be written, or read.
        OSError: raised by `names`.
    """

    def __init__(self, names: Iterable[Named], most: int = IN_MEMORY) -> None:
        ahead = iter(names)
        self._runs: list[IO[bytes]] = []
        self._last = sorted(islice(ahead, most))
        try:
            while further := sorted(islice(ahead, most)):
                self._runs.append(_write_run(self._last))
                self._last = further
        except BaseException:  # also Ctrl-C: the files would stay open
            self._close()
            raise

    def __iter__(self) -> Iterator[Named]:
        with ExitStack() as stack:
            runs = [_read_run(stack.enter_context(run)) for run in self._runs]
            yield from merge(*runs, self._last)

    def _close(self) -> None:
        for run in self._runs:
            run.close()


def _write_run(names: Iterable[Named]) -> IO[bytes]:
    try:
        run = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it has been read)
    except OSError as error:
        raise _cannot_sort(error) from error
    try:
        for name, is_folder in names:
            raw = os.fsencode(name)
            run.write(_HEAD.pack(len(raw), is_folder) + raw)
        run.seek(0)  # flushes
    except OSError as error:
        with suppress(OSError):  # flushing fails again
            run.close()
        raise _cannot_sort(error) from error
    return run


def _read_run(run: IO[bytes]) -> Iterator[Named]:
    try:
        while head := run.read(_HEAD.size):
            length, is_folder = _HEAD.unpack(head)
            yield os.fsdecode(run.read(length)), bool(is_folder)
    except OSError as error:
        raise _cannot_sort(error) from error


def _cannot_sort(error: OSError) -> CannotSortFolder:
    # Not gettempdir(), which raises if no folder is writable.
    folder = tempfile.tempdir or os.environ.get("TMPDIR") or "the folder for temporary files"
    reason = error.strerror or "no space"
    return CannotSortFolder(
        f"the names of a large folder cannot be sorted in {folder} ({reason})",
        "Free disk space there, or set TMPDIR to a folder on another disk, and use --resume",
    )
