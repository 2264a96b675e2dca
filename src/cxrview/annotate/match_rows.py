"""Match the images of a study with the rows of a result of `classify`."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.labels import SettledImage
from cxrview.annotate.study import absolute_path
from cxrview.results.columns import printable
from cxrview.sources.paths import local_path, path_key

_OF_THE_PATH = "duplicate"
"""The only reason of an exclusion that is about a file and not about its content."""


class StudyRows:
    """The images of a study, indexed by the names that a result gives them.

    A row matches an image if it has the same path; otherwise, as after a move of the archive, if
    the file has the same bytes. Then copies of an image get its label, unless two labels of the
    same bytes differ, or the image was excluded as a duplicate.

    Args:
        store: the study.
        images: to find.
        root: folder that relative paths of the result are relative to; None for the working folder.
    """

    def __init__(
        self, store: ReadingStore, images: Iterable[SettledImage], root: Path | None = None
    ) -> None:
        self._root = root or Path.cwd()
        self._by_path: dict[bytes, SettledImage] = {}
        self._by_content: dict[str, SettledImage | None] = {}
        for one in images:
            path = absolute_path(store, one.image.path)
            self._by_path[path_key(printable(path))] = one
            if one.image.content_id and one.settled.reason != _OF_THE_PATH:
                self._take_content(one)

    def _take_content(self, one: SettledImage) -> None:
        first = self._by_content.setdefault(one.image.content_id, one)
        if first is not None and _says(first) != _says(one):
            self._by_content[one.image.content_id] = None

    def by_path(self, row: dict[str, Any]) -> SettledImage | None:
        """Return the image whose file the row names, unless the row has another content id."""
        one = self._by_path.get(self._key(row))
        return None if one is None or _is_other(one, row) else one

    def is_replaced(self, row: dict[str, Any]) -> bool:
        """Whether the row names the file of an image, but was made from other content."""
        one = self._by_path.get(self._key(row))
        return one is not None and _is_other(one, row)

    def _key(self, row: dict[str, Any]) -> bytes:
        local = local_path(row["path"])
        return path_key(os.path.join(self._root, local) if local else row["path"])  # noqa: PTH118

    def by_content(self, row: dict[str, Any]) -> SettledImage | None:
        """Return an image that the row's file is a copy of."""
        return self._by_content.get(row["content_id"] or "")


def _is_other(one: SettledImage, row: dict[str, Any]) -> bool:
    known = one.image.content_id
    return bool(known and row["content_id"] and row["content_id"] != known)


def _says(one: SettledImage) -> tuple[str, str]:
    return one.settled.label, one.settled.reason
