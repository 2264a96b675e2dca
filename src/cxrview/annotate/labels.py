"""The settled labels of a study: for export, merging, training and assessment."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxrview.annotate.database.store import ReadingStore
from cxrview.annotate.settle import label_view, settle
from cxrview.annotate.study import absolute_path
from cxrview.dataset.labels import NO_VIEW, NOT_CHEST
from cxrview.dataset.split import partition_of
from cxrview.errors import UsageError
from cxrview.records.annotation import Settled, StudyImage
from cxrview.records.dataset import Label
from cxrview.results.columns import printable
from cxrview.terms import View
from cxrview.wording import plural

_NOT_CHEST_REASON = "not a chest radiograph"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledImage:
    """One image of a study with its label status."""

    image: StudyImage
    settled: Settled

    @property
    def view(self) -> View | None:
        """Return the view of its settled label; None if it has no such label."""
        return label_view(self.settled.label)


def settled_images(store: ReadingStore) -> list[SettledImage]:
    """Return every image of the study, settled or not, in the study's order."""
    images = store.images()
    settled = settle(store.study, [i.image_id for i in images], store.readings(), store.readers())
    return [SettledImage(image=image, settled=settled[image.image_id]) for image in images]


def one_per(images: Iterable[SettledImage], of: str) -> list[SettledImage]:
    """Keep one image of each patient or study: the one with the smallest (random) image id.

    Args:
        images: to choose from.
        of: `patient` or `study`.

    Raises:
        UsageError: `of` is another word, or the patient or study of an image is not known.
    """
    if of not in ("patient", "study"):
        raise UsageError(f"--one-per is patient or study; got {of}")
    chosen: dict[str, SettledImage] = {}
    unknown = 0
    for one in sorted(images, key=lambda one: one.image.image_id):
        name = one.image.patient if of == "patient" else one.image.study
        unknown += not name
        chosen.setdefault(name, one)
    if unknown:
        raise UsageError(
            f"the {of} of {plural(unknown, 'image')} is not known", "Export without --one-per"
        )
    return list(chosen.values())


def view_labels(store: ReadingStore) -> list[Label]:
    """Return the frontal and lateral images of a study as `read_labels` returns them.

    Files are named as in the study, relative to its root. An unknown patient is empty.

    Raises:
        UsageError: no image is settled as frontal or lateral.
    """
    images = [one for one in settled_images(store) if one.view]
    if not images:
        raise UsageError("no image of the study is settled as frontal or lateral yet")
    return [
        Label(
            file=one.image.path,
            source=one.image.source,
            study=one.image.study,
            patient=one.image.patient,
            view=one.view,
            partition=partition_of(one.image.patient) if one.image.patient.strip() else None,
        )
        for one in images
        if one.view
    ]


def label_rows(
    store: ReadingStore, images: Sequence[SettledImage], folder: Path
) -> Iterator[dict[str, Any]]:
    """Yield rows of LABEL_COLUMNS, with files relative to the folder of the table."""
    for one in images:
        image, settled = one.image, one.settled
        yield {
            "file": relative_to(folder, absolute_path(store, image.path)),
            "patient": image.patient,
            "view": one.view or (NOT_CHEST if settled.reason == _NOT_CHEST_REASON else NO_VIEW),
            "study": image.study,
            "source": image.source,
            "label": settled.label,
            "settled": settled.how,
            "readings": len(settled.readings),
            "reason": settled.reason,
            "image_id": image.image_id,
            "stratum": image.stratum,
            "weight": image.weight,
        }


def missing_image_files(store: ReadingStore) -> list[str]:
    """Return the missing image files of the study, in its order; URLs are not checked."""
    paths = (absolute_path(store, image.path) for image in store.images())
    return [printable(path) for path in paths if "://" not in path and not os.path.isfile(path)]  # noqa: PTH113


def relative_to(folder: Path, path: str) -> str:
    """Return a path relative to a folder; a URL unchanged."""
    return path if "://" in path else printable(os.path.relpath(path, folder.absolute()))
