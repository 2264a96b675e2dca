"""Detect image files of a study that were replaced since it was created, by stored digests."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.study import absolute_path
from cxrview.image.fetch import file_content_id
from cxrview.records.annotation import StudyImage
from cxrview.sources.paths import local_path

_THREADS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentCheck:
    """The result of comparing the files of a study with their digests."""

    replaced: tuple[StudyImage, ...] = ()
    """Images whose file has other content than when the study was created."""
    missing: tuple[StudyImage, ...] = ()
    """Images whose file cannot be read now."""
    same: int = 0
    unknown: int = 0
    """Number of images without a digest in the study, or with a URL."""


def check_content(
    store: ReadingStore,
    images: Iterable[StudyImage] | None = None,
    *,
    watch: Callable[[int], None] = lambda done: None,
) -> ContentCheck:
    """Read every file and compare its digest; this takes as long as reading the files.

    Args:
        store: of the study.
        images: to check; None for all of the study.
        watch: called with the number of further images checked.
    """
    images = store.images() if images is None else tuple(images)
    replaced, missing, same, unknown = [], [], 0, 0
    with ThreadPoolExecutor(_THREADS) as pool:
        for image, found in zip(images, pool.map(partial(_found, store), images), strict=True):
            watch(1)
            if found is None:
                unknown += 1
            elif not found:
                missing.append(image)
            elif found == image.content_id:
                same += 1
            else:
                replaced.append(image)
    return ContentCheck(
        replaced=tuple(replaced), missing=tuple(missing), same=same, unknown=unknown
    )


def _found(store: ReadingStore, image: StudyImage) -> str | None:
    """Return the file's digest; empty if it cannot be read, None if the study stores no digest."""
    local = local_path(absolute_path(store, image.path))
    if not image.content_id or not local:
        return None
    try:
        return file_content_id(local)
    except (OSError, ValueError):
        return ""
