"""The folder that a study's images lie in, and another where they have moved since it was made."""

import os
from contextlib import suppress
from dataclasses import replace

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.study import absolute_path
from cxrview.errors import UnreadableImage, UsageError
from cxrview.image import open_image
from cxrview.results.columns import printable
from cxrview.sources.paths import local_path

_ASKED_AFAR = 3
"""Images that are looked for behind a URL, where each may be a moment's or a time-out's wait."""


def set_root(store: ReadingStore, root: str) -> None:
    """Take a study's images from elsewhere while it is open; what is written keeps its own root.

    Args:
        store: of the study.
        root: local folder or fsspec URL that now holds what the study's own root held.

    Raises:
        UsageError: no image of the study is there, or none is named from a root at all.
    """
    if not root:
        raise UsageError("--root is empty", "Is a variable of the shell not set?")
    if not _names(store):
        raise UsageError(
            "--root is for images that are named from a root, and those of this study are not",
            "Leave it out: they are URLs, or files with their whole path",
        )
    local = local_path(root)
    # Absolute, since links and tables are laid elsewhere than where we stand.
    store.study = replace(store.study, root=os.path.abspath(local) if local else root)  # noqa: PTH100
    if lack := missing_images(store):
        raise UsageError(lack, "Name the folder or URL that this path begins in")


def missing_images(store: ReadingStore) -> str:
    """Say that a study's root holds none of its images; empty where it holds one, or is none."""
    names, root = _names(store), store.study.root
    if "://" in root:
        is_there = any(_opens(absolute_path(store, name)) for name in names[:_ASKED_AFAR])
    else:
        is_there = any(os.path.isfile(absolute_path(store, name)) for name in names)  # noqa: PTH113
    if is_there or not names:
        return ""
    return f"no image of the study is in {printable(root)}, such as {printable(names[0])}"


def _names(store: ReadingStore) -> list[str]:
    """Paths that are relative to the root, in the study's order."""
    paths = (image.path for image in store.images())
    return [path for path in paths if "://" not in path and not os.path.isabs(path)]  # noqa: PTH117


def _opens(url: str) -> bool:
    # Opened and not only asked for: many a server answers whatever it is asked with a page.
    with suppress(UnreadableImage):
        open_image(url)
        return True
    return False
