"""Choose the images of an assessment, and refuse test images that leak."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.classifiers import EXTERNAL, INSIDE, VALIDATION
from cxrview.dataset.split import check_split
from cxrview.digests import shuffle_key
from cxrview.errors import UsageError
from cxrview.records.dataset import Prepared, PreparedImage, Split
from cxrview.terms import Partition, View
from cxrview.wording import plural

TRAINING = "training"
_SETS = {
    Partition.TRAINING: TRAINING,
    Partition.VALIDATION: VALIDATION,
    Partition.TEST: INSIDE,
}
_FAULTS_NAMED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """The images of a store with one role in the assessment."""

    name: str
    """`training`, `validation`, `inside` or `external`."""
    images: tuple[PreparedImage, ...]
    store: Prepared

    def __len__(self) -> int:
        return len(self.images)

    @property
    def is_frontal(self) -> NDArray[np.bool_]:
        """Shape (n,), the truth."""
        return np.array([image.view is View.FRONTAL for image in self.images], bool)

    def pixels(self, start: int = 0, stop: int | None = None) -> NDArray[np.uint8]:
        """Pixels of some or all images, shape (stop - start, side, side), uint8."""
        rows = [image.row for image in self.images[start:stop]]
        pixels: NDArray[np.uint8] = self.store.pixels[rows]
        return pixels

    @property
    def sha256(self) -> str:
        """Hash of the images, their order and all their facts."""
        digest = hashlib.sha256()
        for i in self.images:
            image = (i.file, i.source, i.patient, i.view, i.pixel_sha256)
            header = (i.has_header, i.manufacturer, i.header_view)
            digest.update(json.dumps([*image, *header]).encode() + b"\n")
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentImages:
    """The images to train baselines on, to choose cutoffs, and to count."""

    training: ImageSet
    validation: ImageSet
    inside: ImageSet
    external: ImageSet
    """May be empty."""

    @property
    def scored(self) -> tuple[ImageSet, ...]:
        """The sets that every classifier is run on, in the order of their scores."""
        return (self.validation, self.inside, self.external)


def choose_images(
    prepared: Prepared,
    split: Split,
    *,
    external: Prepared | None = None,
    external_sources: Sequence[str] = (),
    sample: int | None = None,
    seed: int = 0,
) -> AssessmentImages:
    """Choose the images of an assessment, and refuse a leak.

    Args:
        prepared: images of the study; its test partition is the inside test set.
        split: of `prepared`.
        external: a second store for the external test set. If None, `external_sources` are sources
            of `prepared`; without these, the external test set is empty.
            external_sources: use only external images of these sources; all if empty.
        sample: number of external images to draw by `seed`; None for all. The paper: 1,000.
        seed: of the draw. It depends on file names and seed, not on the order of rows.

    Raises:
        UsageError: the split leaks; validation or test images are missing or lack a view; a named
            source has no image; the sample is larger than the set; or an external image shows the
            same picture, or within one store the same patient, as an image of the split. The
            message names files, never a patient.

    Source:
        Paper, sections 1 and 6.
    """
    check_split(split, prepared.images, prepared.content)
    sets = {name: _part(prepared, split, part, name) for part, name in _SETS.items()}
    for name in (VALIDATION, INSIDE):
        need_both_views(sets[name])
    found = _external(prepared, external, external_sources, sample, seed)
    _refuse_leaks([*sets.values()], found, is_one_store=found.store is prepared)
    return AssessmentImages(**sets, external=found)


def need_both_views(one: ImageSet) -> None:
    """Check that a set has images of both views.

    Raises:
        UsageError: the set is empty, or one view is missing.
    """
    what = "test" if one.name == INSIDE else one.name
    if not len(one):
        raise UsageError(f"the split has no {what} images", "Create another one with cxrview split")
    frontal = int(one.is_frontal.sum())
    if frontal in (0, len(one)):
        missing = View.LATERAL if frontal else View.FRONTAL
        raise UsageError(
            f"no {missing} image among {plural(len(one), f'{what} image')}",
            "Both views are needed: split by another seed, or label more images",
        )


def _part(prepared: Prepared, split: Split, partition: Partition, name: str) -> ImageSet:
    wanted = set(split.files(partition))
    images = tuple(image for image in prepared.images if image.file in wanted)
    return ImageSet(name=name, images=images, store=prepared)


def _external(
    prepared: Prepared,
    external: Prepared | None,
    sources: Sequence[str],
    sample: int | None,
    seed: int,
) -> ImageSet:
    if external is None and not sources:
        if sample is not None:
            raise UsageError("a sample is drawn from external images, and none are named")
        return ImageSet(name=EXTERNAL, images=(), store=prepared)
    store = prepared if external is None or _is_same(prepared, external) else external
    unknown = sorted(set(sources) - {image.source for image in store.images})
    if unknown:
        raise UsageError(f"no external image is of source {', '.join(unknown)}")
    images = [image for image in store.images if not sources or image.source in sources]
    if not images:
        raise UsageError("the external set holds no image")
    if sample is not None:
        images = _drawn(images, sample, seed)
    return ImageSet(name=EXTERNAL, images=tuple(images), store=store)


def _is_same(one: Prepared, other: Prepared) -> bool:
    """Whether both are the same store, even under two paths."""
    contents = [store.about.get("content_sha256") for store in (one, other)]
    return one is other or (contents[0] is not None and contents[0] == contents[1])


def _drawn(images: Sequence[PreparedImage], sample: int, seed: int) -> list[PreparedImage]:
    if not 0 < sample <= len(images):
        raise UsageError(f"a sample is of 1 to {len(images)} external images; got {sample}")
    shuffled = sorted(images, key=lambda image: shuffle_key(seed, image.file))
    taken = {image.row for image in shuffled[:sample]}
    return [image for image in images if image.row in taken]


def _refuse_leaks(inside: Sequence[ImageSet], external: ImageSet, *, is_one_store: bool) -> None:
    faults = _shared("the same picture", "pixel_sha256", inside, external)
    if is_one_store:
        # An image that leaks in both ways is reported for its picture.
        faults = _shared("one patient", "patient", inside, external) | faults
    if faults:
        named = list(faults.values())[:_FAULTS_NAMED]
        more = len(faults) - len(named)
        raise UsageError(
            "the external images are refused: "
            + "; ".join([*named, *([f"and {more} more"] if more else [])]),
            "Leave their source out of the split (cxrview split --source), or name another",
        )


def _shared(what: str, fact: str, inside: Iterable[ImageSet], external: ImageSet) -> dict[str, str]:
    """Describe for each external file what it shares with an image of the split.

    An empty fact, as the patient of an image without one, is shared with none.
    """
    known: dict[str, tuple[str, str]] = {}
    for one in inside:
        for image in one.images:
            if value := getattr(image, fact):
                known.setdefault(value, (image.file, one.name))
    faults = {}
    for image in external.images:
        if (first := known.get(getattr(image, fact))) is not None:
            faults[image.file] = f"{what}: {first[0]} ({first[1]}) and {image.file} (external)"
    return faults
