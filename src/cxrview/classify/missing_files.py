"""Whether the folders that a run began with are still there, or their disk went away meanwhile.

A disk that drops out leaves a folder that is empty, missing or broken, or one that is listed from
memory and gives no file. To go on would list all that is left as unreadable, or not miss it at
all, and call the result whole.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cxrview.errors import CannotOpen, InputUnavailable
from cxrview.records import Failure, Prediction
from cxrview.results.columns import printable
from cxrview.results.journal import Conditions, Journal
from cxrview.sources.order import read_arguments
from cxrview.sources.paths import WILDCARD, local_path, path_key, split_glob
from cxrview.wording import plural

MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux tells what is mounted; elsewhere folders below a PATH are not watched."""
_NO_DISKS = {b"overlay", b"nsfs", b"tmpfs"}
"""What containers and systems mount and take away as they please."""
_OCTAL = re.compile(rb"\\([0-7]{3})")


class MountWatch:
    """The folders among some paths that hold anything now, and the disks mounted below them.

    Args:
        named: as the command got them. Of a glob the folder before the first wildcard is
            watched; URLs, lists and single files are not.
        advice: what to do when that is mended.
        noted: folders of earlier runs, and whether each was where a disk is mounted.
        last_read: a file that an earlier run has read.

    Attributes:
        folders: all that are watched, in the form of `noted`.
    """

    def __init__(
        self,
        named: Iterable[str],
        advice: str,
        *,
        noted: Mapping[str, bool] | None = None,
        last_read: str | None = None,
    ) -> None:
        self.folders, mounted = dict(noted or {}), _mounted()
        for path in named:
            folder = _folder_of(path)
            if folder and _holds(folder):
                self.folders[folder] = _real(folder) in mounted
                self.folders |= {below: True for below in _below(folder, mounted) if _holds(below)}
        self._advice = advice
        self._last_read = local_path(last_read) if last_read else ""

    def check(self, outcomes: Iterable[Prediction | Failure]) -> None:
        """Look at the folders where a file could not be opened; else no disk is asked.

        Raises:
            InputUnavailable: as `look`, or a file that was read before cannot be read any more.
        """
        cannot_open = False
        for one in outcomes:
            if isinstance(one, Prediction):
                self._last_read = local_path(one.instance.path) or self._last_read
            else:
                cannot_open |= one.code == CannotOpen.code
        if cannot_open:
            self.look()
            if self._last_read and _is_dead(self._last_read):
                raise InputUnavailable(
                    f"{printable(self._last_read)} was read, and cannot be read any more",
                    f"See to its disk. {self._advice}",
                )

    def look(self) -> None:
        """See whether every folder is there.

        Raises:
            InputUnavailable: one of them is empty, missing, can no longer be listed, or no disk
                is mounted there any more.
        """
        missing = [folder for folder in self.folders if not _holds(folder)]
        mounted = _mounted()  # only now: to look into a folder mounts what is mounted on demand
        missing += [
            folder
            for folder, was_mounted in self.folders.items()
            if was_mounted and _real(folder) not in mounted
        ]
        if missing:
            raise InputUnavailable(
                f"{printable(missing[0])} was there, and is empty or out of reach now",
                f"Mount it. {self._advice}",
            )


def _folder_of(named: str) -> str:
    local = local_path(named)
    if WILDCARD.search(local) and not os.path.lexists(local):
        return split_glob(local)[0].rstrip("/")  # nothing of a glob that begins at the root
    return local


def _holds(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return False


def _real(folder: str) -> str:
    return os.path.realpath(folder)


def _mounted() -> set[str]:
    """Where something is mounted. What is bound from the same disk `os.path.ismount` misses."""
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:
        return set()
    halves = [line.partition(b" - ") for line in lines]
    names = [
        place.split()[4] for place, _, kind in halves if kind and kind.split()[0] not in _NO_DISKS
    ]
    return {
        os.fsdecode(_OCTAL.sub(lambda found: bytes([int(found[1], 8)]), name)) for name in names
    }


def _below(folder: str, mounted: Iterable[str]) -> list[str]:
    """Those below a folder, by the folder's own name."""
    above = _real(folder).rstrip("/") + "/"
    names = sorted(mount.removeprefix(above) for mount in mounted if mount.startswith(above))
    return [f"{folder.rstrip('/')}/{name}" for name in names]


def _is_dead(file: str) -> bool:
    """Whether the disk of a file that was read is gone, whatever the system remembers of it."""
    try:
        handle = os.open(file, os.O_RDONLY)
    except (FileNotFoundError, PermissionError, ValueError):  # of this file alone
        return False
    except OSError:
        return True
    try:
        with suppress(AttributeError, OSError):  # not everywhere; from the disk and not from memory
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.read(handle, 1)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


FEW, FEW_PERCENT = 10, 1
"""Ours: so many files may vanish unasked, or that share of those done, whichever is more."""


def check_missing_files(journal: Journal, conditions: Conditions, done: int) -> int:
    """Count the files that an earlier run is done with and this one, over all, did not find.

    Args:
        journal: of a run that has come upon all files there are.
        conditions: of the run.
        done: how many files were done with before this run.

    Raises:
        InputUnavailable: they may exist and be out of reach: they are many, or all that a PATH
            held, or they lie in a folder that cannot be listed.
    """
    count, first = 0, b""
    for key in journal.gone():
        count, first = count + 1, first or key
    if count and (
        count > max(FEW, done * FEW_PERCENT // 100)
        or count == done
        or _are_hidden(
            journal, [path_key(one) for one in read_arguments(conditions.get("paths", ""))]
        )
    ):
        of = f"of {plural(done, 'file')} read before"
        raise InputUnavailable(
            f"{plural(count, f'{of} is', f'{of} are')} not found any more, such as "
            f"{printable(os.fsdecode(first))}",
            "Nothing was dropped. Mount what is missing and go on with --resume; if the files "
            "are gone for good, --resume --forget-missing drops them",
        )
    return count


def _are_hidden(journal: Journal, named: Sequence[bytes]) -> bool:
    """Whether some lie in a folder that could not be listed, or were all of a PATH."""
    for key in list(journal.gone()):
        # The finder gives out a folder as if it were a file only where it cannot list it.
        if any(journal.has_found(folder) for folder in _folders_above(key)):
            return True
        if any(_is_below(key, path) and not journal.has_found_below(path) for path in named):
            return True
    return False


def _folders_above(key: bytes) -> list[bytes]:
    names = key.split(b"/")
    return [b"/".join(names[:k]) for k in range(1, len(names))]


def _is_below(key: bytes, folder: bytes) -> bool:
    return key.startswith(folder.rstrip(b"/") + b"/")
