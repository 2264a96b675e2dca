"""Detect files that were replaced after the study was created; these get no label.

A file is digested when it is first labelled, and again only if its size, modification time or
inode changes.
"""

import os
import threading
from collections.abc import Callable

from cxrview.image.fetch import file_content_id
from cxrview.records.annotation import StudyImage
from cxrview.sources.paths import local_path

_Facts = tuple[int, int, int]


class ContentCheck:
    """Caches the result for each image; methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, tuple[_Facts | None, bool]] = {}

    def is_replaced(self, image: StudyImage, path_of: Callable[[str], str]) -> bool:
        """Whether the file has other content than when the study was created.

        False if that is not known: the study has no digest, the file cannot be read now, or it has
        a URL and was not shown yet.

        Args:
            image: of the study.
            path_of: returns the path of an image id.
        """
        if not image.content_id:
            return False
        path = path_of(image.image_id)
        facts = file_facts(path)
        with self._lock:
            found = self._found.get(image.image_id)
        if found is not None and found[0] == facts:
            return found[1]
        local = local_path(path)
        if facts is None or not local:
            return found is not None and found[1] and not local
        try:
            is_replaced = file_content_id(local) != image.content_id
        except OSError:
            return False
        self.note(image.image_id, facts, is_replaced=is_replaced)
        return is_replaced

    def note(self, image_id: str, facts: _Facts | None, *, is_replaced: bool) -> None:
        """Store a result, as when the image was read to be shown.

        Args:
            image_id: of the image.
            facts: `file_facts` from before it was read.
            is_replaced: whether its content differs.
        """
        with self._lock:
            self._found[image_id] = (facts, is_replaced)

    def replaced(self) -> set[str]:
        """Return the ids of images whose file was replaced when it was last checked."""
        with self._lock:
            return {image_id for image_id, (_, is_replaced) in self._found.items() if is_replaced}


def file_facts(path: str) -> _Facts | None:
    """Return size, modification time and inode; None for a URL or a missing file."""
    local = local_path(path)
    if not local:
        return None
    try:
        facts = os.stat(local)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return facts.st_size, facts.st_mtime_ns, facts.st_ino
