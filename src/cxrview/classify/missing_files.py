"""Detect input folders that are unmounted or become unreadable, and missing files.

A disk that is disconnected leaves a folder that is empty, missing or broken, or one that the system
lists from its cache although no file can be opened. A run that continued would report all other
files as unreadable, or miss them, and call the result complete.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from cxrview.errors import CannotOpen, InputUnavailable
from cxrview.records.classification import Outcome, Prediction
from cxrview.results.columns import printable
from cxrview.results.journal import Journal
from cxrview.sources.paths import WILDCARD, local_path, path_key, split_glob
from cxrview.wording import plural

MOUNTS = Path("/proc/self/mountinfo")
"""Where Linux lists its mounts; on other systems folders below a PATH are not watched."""
_NOT_A_DISK = {b"overlay", b"nsfs", b"tmpfs"}
"""File systems that containers and the system mount and unmount at any time."""
_OCTAL = re.compile(rb"\\([0-7]{3})")


class MountWatch:
    """Watches the folders that hold files at the start of a run, and the disks mounted below them.

    Args:
        named: arguments of the run. For a glob, the folder before the first wildcard is watched;
            URLs, lists and single files are not.
            advice: what to do when the disk is mounted again.
            noted: folders of earlier runs, and whether each was a mount point.
            last_read: a file that an earlier run has read.

    Attributes:
        folders: all watched folders, in the form of `noted`.
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

    def check(self, outcomes: Iterable[Outcome]) -> None:
        """Check the folders if a file could not be opened; otherwise no disk is accessed.

        Raises:
            InputUnavailable: as `check_mounts`, or a file that was read before cannot be read any
                more.
        """
        cannot_open = False
        for one in outcomes:
            if isinstance(one, Prediction):
                self._last_read = local_path(one.instance.path) or self._last_read
            else:
                cannot_open |= one.code == CannotOpen.code
        if cannot_open:
            self.check_mounts()
            if self._last_read and _device_is_gone(self._last_read):
                raise InputUnavailable(
                    f"{printable(self._last_read)} was read, and can no longer be read",
                    f"Check its disk. {self._advice}",
                )

    def check_mounts(self) -> None:
        """Check that every folder exists, holds files and is still mounted.

        Raises:
            InputUnavailable: one of them is empty, missing, can no longer be listed, or is no
                longer a mount point.
        """
        missing = [folder for folder in self.folders if not _holds(folder)]
        mounted = _mounted()  # after listing the folders, which mounts those that mount on demand
        missing += [
            folder
            for folder, was_mounted in self.folders.items()
            if was_mounted and _real(folder) not in mounted
        ]
        if missing:
            raise InputUnavailable(
                f"{printable(missing[0])} held files, and is empty or unreachable now",
                f"Mount it. {self._advice}",
            )


def _folder_of(named: str) -> str:
    local = local_path(named)
    if WILDCARD.search(local) and not os.path.lexists(local):
        return split_glob(local)[0].rstrip("/")  # empty for a glob that begins at the root
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
    """Return the mount points. `os.path.ismount` misses a bind mount of the same disk."""
    try:
        lines = MOUNTS.read_bytes().splitlines()
    except OSError:
        return set()
    halves = [line.partition(b" - ") for line in lines]
    names = [
        place.split()[4] for place, _, kind in halves if kind and kind.split()[0] not in _NOT_A_DISK
    ]
    return {
        os.fsdecode(_OCTAL.sub(lambda found: bytes([int(found[1], 8)]), name)) for name in names
    }


def _below(folder: str, mounted: Iterable[str]) -> list[str]:
    """Return the mount points below a folder, as paths that begin with the folder's name."""
    above = _real(folder).rstrip("/") + "/"
    names = sorted(mount.removeprefix(above) for mount in mounted if mount.startswith(above))
    return [f"{folder.rstrip('/')}/{name}" for name in names]


def _device_is_gone(file: str) -> bool:
    """Whether the disk of a file that was read is disconnected, even if the file is cached."""
    try:
        handle = os.open(file, os.O_RDONLY)
    except (FileNotFoundError, PermissionError, ValueError):  # a problem of this file alone
        return False
    except OSError:
        return True
    try:
        with suppress(AttributeError, OSError):  # drop the cache, where the system can
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.read(handle, 1)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


FEW, FEW_PERCENT = 10, 1
"""Number of files, or share of the finished files if that is more, that may be missing without
--forget-missing. Both are our choice."""


def check_missing_files(journal: Journal, named: Sequence[str], done: int) -> int:
    """Count the files that an earlier run has finished and this run did not find.

    Args:
        journal: of a run that has found all its files.
        named: arguments of the run.
        done: number of files finished before this run.

    Raises:
        InputUnavailable: the files may still exist on an unmounted disk, since they are many, or
            all files of a PATH, or in a folder that cannot be listed.
    """
    count, first = 0, b""
    for key in journal.missing():
        count, first = count + 1, first or key
    if count and (
        count > max(FEW, done * FEW_PERCENT // 100)
        or count == done
        or _are_hidden(journal, [path_key(name) for name in named])
    ):
        of = f"of {plural(done, 'file')} read before"
        raise InputUnavailable(
            f"{plural(count, f'{of} is', f'{of} are')} no longer found, such as "
            f"{printable(os.fsdecode(first))}",
            "Nothing was dropped. Mount the missing disk and use --resume. If the files were "
            "deleted, use --resume --forget-missing",
        )
    return count


def _are_hidden(journal: Journal, named: Sequence[bytes]) -> bool:
    """Whether some are in a folder that could not be listed, or were all files of a PATH."""
    for key in list(journal.missing()):
        # `find_images` yields a folder as if it were a file only if it cannot list the folder.
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
