"""The objects of the queue: plain files, named by a digest of their content.

QUEUE/parts/         what is being received; removed at the start
QUEUE/work/          copies and reports that are being sent; removed at the start
QUEUE/objects/       complete objects, all in one folder, so that the names of many objects are
                     put on the disk at once
"""

import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cxrview.atomic_files import sync_folder


class ObjectFolder:
    """The folder of a queue.

    Args:
        folder: is created, for its owner only.

    Raises:
        OSError: it cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.parts, self.work = folder / "parts", folder / "work"
        self._objects = folder / "objects"
        self._has_new_names = False
        """Whether names may not be on the disk yet."""
        for one in (self.parts, self.work, self._objects):
            one.mkdir(exist_ok=True, mode=0o700)
        sync_folder(folder)

    def flatten(self) -> None:
        """Move objects out of folders by the first two digits of their digests.

        The first version had these. It may be called by the process that serves the queue only.
        """
        folders = [one for one in self._objects.iterdir() if one.is_dir()]
        for folder in folders:
            for path in folder.iterdir():
                path.rename(self.path_of(path.name))
        if folders:
            sync_folder(self._objects)
        for folder in folders:
            folder.rmdir()

    def new_part(self) -> Path:
        """A new name in `parts`."""
        return self.parts / f"{uuid.uuid4().hex}.part"

    def path_of(self, digest: str) -> Path:
        """Where an object lies."""
        return self._objects / digest

    def keep(self, part: Path, digest: str) -> Path:
        """Give a part its name, which is on the disk after the next `sync_names`.

        Args:
            part: complete and on the disk.
            digest: of its content.

        Raises:
            OSError: the disk is full or fails; the part is still there.
        """
        target = self.path_of(digest)
        part.rename(target)
        self._has_new_names = True
        return target

    def sync_names(self) -> None:
        """Put the names that `keep` gave on the disk.

        Like `keep`, it is called by one thread at a time.

        Raises:
            OSError: the disk fails.
        """
        if self._has_new_names:
            self._has_new_names = False
            sync_folder(self._objects)

    def remove(self, digest: str) -> None:
        """Remove an object, if it is there."""
        with suppress(FileNotFoundError):
            self.path_of(digest).unlink()

    def digests(self) -> Iterator[str]:
        """All objects."""
        return (path.name for path in self._objects.iterdir())

    def clear_unfinished(self) -> int:
        """Remove what an earlier process was receiving or sending; return the number of files.

        None of it was acknowledged.
        """
        count = 0
        for folder in (self.parts, self.work):
            for path in folder.iterdir():
                if path.is_dir():  # of a report that was being written
                    shutil.rmtree(path)
                else:
                    path.unlink()
                count += 1
        return count

    def free_bytes(self) -> int:
        """Free space on the disk of the queue."""
        return shutil.disk_usage(self.folder).free
