"""Writes a prepared store, resumable at any point.

Each outcome is a line of progress.jsonl, which is removed when index and failures are written.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.atomic_files import PART, atomic_path, writing
from cxrview.dataset.append import ABOUT, PIXELS, Appender, Kind, StoreWriter
from cxrview.dataset.store import (
    FAILURES,
    FORMAT,
    INDEX,
    PROGRESS,
    has_former_store,
    read_about,
    write_index,
    write_prepare_failures,
)
from cxrview.records.classification import Failure
from cxrview.records.dataset import PreparedImage
from cxrview.terms import View

_KIND = Kind(
    format=FORMAT,
    holds="prepared store",
    lines=PROGRESS,
    read_about=read_about,
    advice="Resume with the same ones, choose a new folder, or use --overwrite",
    doing="preparing",
)


class PreparedWriter(StoreWriter):
    """Context manager that creates a store in a folder, or resumes one.

    Args:
        folder: new, empty, or with an incomplete store of the same conditions.
        side: rows and columns of each image.
        conditions: what the result depends on besides the files, by name.
        overwrite: replace an existing store.

    Raises:
        UsageError: the folder has other files or a store of other conditions, or another process
            writes it.
        CannotWrite: the folder cannot be created or written.
    """

    def __init__(
        self, folder: Path, side: int, conditions: Mapping[str, Any], *, overwrite: bool = False
    ) -> None:
        self._folder = folder
        self._images: list[PreparedImage] = []
        self._failures: list[Failure] = []
        clear = _remove_store if overwrite else _remove_spent_progress
        self._store = Appender(folder, side, _KIND, conditions, recall=self._recall, clear=clear)

    def keep(self, image: PreparedImage, pixels: NDArray[np.uint8]) -> None:
        """Append an image, shape (side, side), uint8, as the next row.

        Raises:
            CannotWrite: the disk is full or not writable.
        """
        image = replace(image, row=len(self._images))
        self._store.append(asdict(image), pixels)
        self._images.append(image)

    def fail(self, failure: Failure) -> None:
        """Append a file that could not be read.

        Raises:
            CannotWrite: the disk is full or not writable.
        """
        self._store.append(asdict(failure))
        self._failures.append(failure)

    def finish(self) -> None:
        """Write index and failures, and mark the store as complete.

        Raises:
            CannotWrite: the disk is full or not writable.
        """
        self._store.end()
        with writing(self._folder):
            with atomic_path(self._folder / INDEX) as part:
                write_index(part, self._images)
            with atomic_path(self._folder / FAILURES) as part:
                write_prepare_failures(part, self._failures)
            self._store.complete(
                images=len(self._images),
                failures=len(self._failures),
                content_sha256=_content_sha256(self._images),
            )
            (self._folder / PROGRESS).unlink()

    def _recall(self, fields: dict[str, Any]) -> None:
        if "code" in fields:
            self._failures.append(Failure(**fields))
            return
        claimed = View(fields["header_view"]) if fields["header_view"] else None
        fields |= {"view": View(fields["view"]), "header_view": claimed}
        fields |= {"warnings": tuple(fields["warnings"])}
        self._images.append(PreparedImage(**fields))


def _remove_store(folder: Path) -> None:
    """Remove about.json last, so that an interrupted removal can be repeated."""
    if not has_former_store(folder) and read_about(folder) is None:
        return
    names = (PROGRESS, INDEX, FAILURES, PIXELS)
    for name in [*(n + PART for n in (INDEX, FAILURES, ABOUT)), *names, ABOUT]:
        (folder / name).unlink(missing_ok=True)


def _remove_spent_progress(folder: Path) -> None:
    """Remove the progress of a complete store, if a run was stopped just before."""
    about = read_about(folder)
    if about and about["complete"]:
        (folder / PROGRESS).unlink(missing_ok=True)


def _content_sha256(images: list[PreparedImage]) -> str:
    digest = hashlib.sha256()
    for image in images:
        digest.update(json.dumps(asdict(image)).encode() + b"\n")
    return digest.hexdigest()
