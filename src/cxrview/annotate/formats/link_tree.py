"""Create folders `frontal` and `lateral` with links to images, for tools that train on folders."""

import re
from collections.abc import Mapping
from pathlib import Path

from cxrview.atomic_files import raising_cannot_write
from cxrview.errors import UsageError
from cxrview.terms import View
from cxrview.wording import plural

_ENDINGS = frozenset({".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff"})
"""Endings that a link keeps from its file's name; other parts of it may name a patient."""
_OURS = re.compile(r"[0-9a-f]{16}(\.[a-z]+)?")
_PREAMBLE, _MAGIC = 128, b"DICM"


def create_links(folder: Path, images: Mapping[str, tuple[View, Path]], *, overwrite: bool) -> None:
    """Create `frontal/` and `lateral/` with a symbolic link to each image, named by its id.

    Args:
        folder: new or empty; with `overwrite`, links of an earlier export in it are removed first.
        images: from image id to view and absolute path.
        overwrite: replace an earlier export. Only links with names as given by cxrview are removed.

    Raises:
        UsageError: the folder holds other files, or an image file is missing.
        CannotWrite: the disk is full or fails, or does not support links.
    """
    missing = [str(file) for _, file in images.values() if not file.is_file()]
    if missing:
        lack = plural(
            len(missing),
            "image of the study is missing",
            "images of the study are missing",
        )
        raise UsageError(
            f"{lack}, such as {missing[0]}",
            "Links to them would not work: mount or move them back, or use --root to name their "
            "folder",
        )
    earlier = _earlier(folder, overwrite)
    with raising_cannot_write(folder):
        for link in earlier:
            link.unlink()
        for view in View:
            (folder / view).mkdir(parents=True, exist_ok=True)
        for image_id, (view, file) in images.items():
            (folder / view / (image_id + _ending(file))).symlink_to(file)


def _earlier(folder: Path, overwrite: bool) -> list[Path]:
    if not folder.exists():
        return []
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    inside = [path for view in View if (folder / view).is_dir() for path in _entries(folder / view)]
    strangers = [path for path in _entries(folder) if path.name not in set(View)]
    strangers += [p for p in inside if not p.is_symlink() or not _OURS.fullmatch(p.name)]
    if strangers:
        raise UsageError(f"{folder} holds other files, such as {strangers[0]}", "Name a new folder")
    if inside and not overwrite:
        raise UsageError(f"{folder} already holds links", "Replace them with --overwrite")
    return inside


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _ending(file: Path) -> str:
    if file.suffix.lower() in _ENDINGS:
        return file.suffix.lower()
    with file.open("rb") as opened:
        opened.seek(_PREAMBLE)
        return ".dcm" if opened.read(len(_MAGIC)) == _MAGIC else ""
