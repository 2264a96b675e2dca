"""Export a study: settled labels, all readings, links by view."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.formats.label_studio import write_label_studio
from cxrview.annotate.formats.label_tables import (
    LABEL_COLUMNS,
    READING_COLUMNS,
    label_format,
    write_label_table,
)
from cxrview.annotate.formats.link_tree import create_links
from cxrview.annotate.labels import (
    SettledImage,
    label_rows,
    one_per,
    relative_to,
    settled_images,
)
from cxrview.annotate.late_readings import is_late
from cxrview.annotate.replaced_files import ContentCheck, check_content
from cxrview.annotate.study import absolute_path
from cxrview.errors import UsageError


def chosen_images(store: ReadingStore, each: str | None = None) -> list[SettledImage]:
    """Return the settled images; with `each` those with a view, one per patient or study.

    Raises:
        UsageError: no image is settled, or as `one_per`.
    """
    settled = [one for one in settled_images(store) if one.settled.is_settled]
    if each:
        settled = one_per((one for one in settled if one.view), each)
    if not settled:
        raise UsageError("no image of the study is settled yet", "See cxrview annotate status")
    return settled


def without_replaced(
    store: ReadingStore,
    images: list[SettledImage],
    watch: Callable[[int], None] = lambda done: None,
) -> tuple[list[SettledImage], ContentCheck]:
    """Leave out images whose file was replaced, since their labels belong to another image.

    Args:
        store: of the study.
        images: to check; their files are read.
        watch: called with the number of further images checked.

    Returns:
        The other images, and the result of the check.

    Raises:
        UsageError: no image is left.
    """
    found = check_content(store, [one.image for one in images], watch=watch)
    replaced = {image.image_id for image in found.replaced}
    left = [one for one in images if one.image.image_id not in replaced]
    if not left:
        raise UsageError(
            "the file of every settled image was replaced after the study was created",
            "Name the folder of the original files with --root",
        )
    return left, found


def unsettled_images(store: ReadingStore) -> int:
    """Count the images that are not settled, which are not exported."""
    return sum(not one.settled.is_settled for one in settled_images(store))


def export_labels(store: ReadingStore, out: Path, images: list[SettledImage]) -> None:
    """Write settled labels, in the format of the name; .json is Label Studio's.

    Raises:
        UsageError: the ending of the name is not a known format.
        CannotWrite: the disk is full or fails.
    """
    if label_format(out) == "json":
        pairs = [(one.image, one.settled) for one in images]
        write_label_studio(out, pairs, store.readers())
    else:
        write_label_table(out, label_rows(store, images, out.parent), LABEL_COLUMNS)


def export_readings(store: ReadingStore, out: Path) -> int:
    """Write every action of every reader as .csv or .parquet; return how many there are.

    Raises:
        UsageError: the ending of the name is not a known format.
        CannotWrite: the disk is full or fails.
    """
    if label_format(out) == "json":
        raise UsageError("readings cannot be written as .json: use .csv or .parquet")
    rows = list(_reading_rows(store, out.parent))
    write_label_table(out, rows, READING_COLUMNS)
    return len(rows)


def export_links(
    store: ReadingStore, folder: Path, images: list[SettledImage], *, overwrite: bool
) -> int:
    """Create links to the images that have a view; return how many there are.

    Raises:
        UsageError: an image lies behind a URL, or as `create_links`.
        CannotWrite: the disk is full or fails.
    """
    seen = [(one, one.view, absolute_path(store, one.image.path)) for one in images if one.view]
    if any("://" in path for *_, path in seen):
        raise UsageError(
            "links to images behind URLs are not possible", "Copy the images to a disk"
        )
    links = {one.image.image_id: (view, Path(path)) for one, view, path in seen}
    create_links(folder, links, overwrite=overwrite)
    return len(links)


def _reading_rows(store: ReadingStore, folder: Path) -> Iterator[dict[str, Any]]:
    names = {reader.reader_id: reader.name for reader in store.readers()}
    files = {
        image.image_id: relative_to(folder, absolute_path(store, image.path))
        for image in store.images()
    }
    closed, withdrawn = store.blind_round_closed(), store.withdrawn()
    for reading in store.every_reading():
        row = {name: getattr(reading, name, None) for name in READING_COLUMNS}
        yield row | {
            "reader": names[reading.reader_id],
            "file": files[reading.image_id],
            "shown": _text(reading.shown),
            "made": _text(reading.made),
            "received": _text(reading.received),
            "display": json.dumps(dict(reading.display)) if reading.display else "",
            "late": is_late(reading, closed),
            "withdrawn": withdrawn.holds(reading.reading_id, reading.reader_id),
        }


def _text(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
