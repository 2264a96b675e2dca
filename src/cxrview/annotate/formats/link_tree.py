"""Lays out images as links in folders named for their views, for tools that learn from folders."""

import re
from collections.abc import Mapping
from pathlib import Path

from cxrview.atomic_files import raising_cannot_write
from cxrview.errors import UsageError
from cxrview.terms import View
from cxrview.wording import plural

_ENDINGS = frozenset({".dcm", ".png", ".jpg", ".jpeg", ".tif", ".tiff"})
"""Kept of a file's name; any other part of it might name a patient."""
_OURS = re.compile(r"[0-9a-f]{16}(\.[a-z]+)?")
_PREAMBLE, _MAGIC = 128, b"DICM"


def lay_links(folder: Path, images: Mapping[str, tuple[View, Path]], *, overwrite: bool) -> None:
    """Make `frontal/` and `lateral/` with a symbolic link to each image, named by its id.

    Args:
        folder: new or empty; with `overwrite`, links of an earlier layout in it go first.
        images: image id to its view and its file, absolute.
        overwrite: replace an earlier layout. Nothing but links that are named as ours is removed.

    Raises:
        UsageError: the folder holds something else, or a file is not there.
        CannotWrite: the disk took no more, or knows no links.
    """
    gone = [str(file) for _, file in images.values() if not file.is_file()]
    if gone:
        lack = plural(
            len(gone),
            "image of the study is not where it was",
            "images of the study are not where they were",
        )
        raise UsageError(
            f"{lack}, such as {gone[0]}",
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
        raise UsageError(f"{folder} holds links already", "Replace them with --overwrite")
    return inside


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _ending(file: Path) -> str:
    if file.suffix.lower() in _ENDINGS:
        return file.suffix.lower()
    with file.open("rb") as opened:
        opened.seek(_PREAMBLE)
        return ".dcm" if opened.read(len(_MAGIC)) == _MAGIC else ""
