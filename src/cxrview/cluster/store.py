"""`Store`: objects below one folder or URL, each complete or missing.

No operation of a store needs a rename of the file system behind a URL: object stores have none. An
object of S3, GCS or Azure is always complete or missing; a local file is written aside and
renamed.
"""

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from cxrview.errors import CannotWrite, InputUnavailable
from cxrview.sources.paths import local_path

READ_AT_ONCE = 256
"""Number of small objects that are read side by side."""
_ASIDE = ".part"


class Store:
    """Objects below one folder or URL.

    It can be sent to another machine: it is only the name of the folder.

    Args:
        root: a local folder, or an fsspec URL of one. A local folder is created with its first
            object.
    """

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")

    def __reduce__(self) -> tuple[type["Store"], tuple[str]]:
        return Store, (self.root,)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine, or one that is mounted here."""
        return bool(local_path(self.root))

    @property
    def folder(self) -> Path:
        """The local folder."""
        return Path(local_path(self.root))

    @cached_property
    def _remote(self) -> tuple[Any, str]:
        """The file system of fsspec, and the path of the root in it."""
        import fsspec

        files, path = fsspec.core.url_to_fs(self.root)
        return files, path.rstrip("/")

    def put(self, name: str, data: bytes) -> None:
        """Write an object, which replaces an earlier one of that name.

        Raises:
            CannotWrite: the disk or the store fails.
        """
        with self._failing(CannotWrite, "written"):
            if self.is_local:
                self._put_local(self.folder / name, data)
            else:
                files, root = self._remote
                files.pipe_file(f"{root}/{name}", data)

    def _put_local(self, path: Path, data: bytes) -> None:
        # The name is unique: two workers may write the same object.
        aside = path.with_name(f"{path.name}.{uuid.uuid4().hex[:12]}{_ASIDE}")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)

    def put_file(self, name: str, file: Path) -> None:
        """Write a large object from a local file; errors as for `put`."""
        if self.is_local:
            self.put(name, file.read_bytes())
            return
        with self._failing(CannotWrite, "written"):
            files, root = self._remote
            files.put_file(str(file), f"{root}/{name}")

    def get_file(self, name: str, file: Path) -> None:
        """Copy an object to a local file; errors as for `get`."""
        with self._failing(InputUnavailable, "read"):
            if self.is_local:
                shutil.copyfile(self.folder / name, file)
            else:
                files, root = self._remote
                files.get_file(f"{root}/{name}", str(file))

    def get(self, name: str) -> bytes:
        """Read an object.

        Raises:
            FileNotFoundError: it does not exist.
            InputUnavailable: the disk or the store fails.
        """
        with self._failing(InputUnavailable, "read"):
            if self.is_local:
                return (self.folder / name).read_bytes()
            files, root = self._remote
            data: bytes = files.cat_file(f"{root}/{name}")
            return data

    def get_all(self, names: Sequence[str]) -> Iterator[bytes]:
        """Read objects in this order, several at a time; errors as for `get`."""
        if self.is_local:
            yield from map(self.get, names)
            return
        files, root = self._remote
        for first in range(0, len(names), READ_AT_ONCE):
            paths = [f"{root}/{name}" for name in names[first : first + READ_AT_ONCE]]
            with self._failing(InputUnavailable, "read"):
                found = files.cat(paths)
            yield from (found[files._strip_protocol(path)] for path in paths)

    def names(self, folder: str) -> list[str]:
        """List the objects directly in a folder, sorted; an empty list if it does not exist.

        Raises:
            InputUnavailable: the disk or the store fails.
        """
        with self._failing(InputUnavailable, "listed"):
            try:
                found = self._names(folder)
            except FileNotFoundError:
                return []
        return sorted(name for name in found if not name.endswith(_ASIDE))

    def _names(self, folder: str) -> list[str]:
        if self.is_local:
            return [path.name for path in (self.folder / folder).iterdir() if path.is_file()]
        files, root = self._remote
        where = f"{root}/{folder}".rstrip("/")
        files.invalidate_cache(where)  # another process may have written since
        listed = files.ls(where, detail=True)
        return [entry["name"].rpartition("/")[2] for entry in listed if entry["type"] == "file"]

    def exists(self, name: str) -> bool:
        """Whether an object exists.

        Raises:
            InputUnavailable: the disk or the store fails.
        """
        try:
            self.get(name)
        except FileNotFoundError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Delete an object, if it exists.

        Raises:
            CannotWrite: the disk or the store fails.
        """
        with self._failing(CannotWrite, "written"):
            if self.is_local:
                (self.folder / name).unlink(missing_ok=True)
                return
            files, root = self._remote
            try:
                files.rm_file(f"{root}/{name}")
            except FileNotFoundError:
                return

    def remove_all(self, first: str) -> None:
        """Delete all objects, and the folder; `first` before the others, so that none is believed.

        Raises:
            CannotWrite: the disk or the store fails.
        """
        self.remove(first)
        with self._failing(CannotWrite, "written"):
            try:
                if self.is_local:
                    shutil.rmtree(self.folder)
                else:
                    files, root = self._remote
                    files.invalidate_cache()
                    files.rm(root, recursive=True)
            except FileNotFoundError:
                return

    @contextmanager
    def _failing(
        self, kind: type[CannotWrite] | type[InputUnavailable], done: str
    ) -> Iterator[None]:
        """Raise an error of cxrview for those of the disk or the store in the block.

        Messages of stores are left out, since they may hold credentials.
        """
        try:
            yield
        except (FileNotFoundError, MemoryError):
            raise
        except Exception as error:  # libraries of stores raise many types
            why = getattr(error, "strerror", None) or type(error).__name__
            raise kind(
                f"{self.root} cannot be {done} ({why})",
                "Check the disk or the store, and run the same command with --resume",
            ) from error
