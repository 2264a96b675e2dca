"""Labelled radiographs on their way from files to partitions and variants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.records.classification import Failure
from cxrview.records.scores import PROGENITOR_NAME
from cxrview.terms import Partition, View
from cxrview.wording import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The settled truth about one image of a labelled set."""

    file: str
    """Path relative to the labels file."""
    source: str
    patient: str
    """Empty where nobody knows, in what is divided by image alone."""
    view: View
    partition: Partition | None
    """By the published rule; None where nobody knows the patient."""
    study: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChest:
    """One image of a labelled set that shows no chest radiograph, so that it has no view."""

    file: str
    """Path relative to the labels file."""
    source: str
    patient: str
    partition: Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Which of the 106 images that are made of each progenitor (paper, section 2)."""

    pose: str
    """A name of `dataset.poses.POSES`."""
    perturbation: str | None
    """A name of `dataset.perturb.PERTURBATIONS`; None for the progenitor, untouched."""

    @property
    def name(self) -> str:
        """`progenitor`, or pose and perturbation such as `flip-horizontal/spread`."""
        return f"{self.pose}/{self.perturbation}" if self.perturbation else PROGENITOR_NAME

    def __post_init__(self) -> None:
        if self.perturbation is None and self.pose != "identity":
            raise ValueError(f"the progenitor stands as it was; got pose {self.pose}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFacts:
    """What is kept of an image's header: nothing else of it goes into a prepared store."""

    manufacturer: str = ""
    """Manufacturer (0008,0070), cleaned and cut to 64 characters; empty where it is silent."""
    view: View | None = None
    """What it claims by the mapping table; None where it says nothing known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """One row of a prepared store: whose image it is, and what it was made from."""

    row: int
    """Its place in the pixels, from 0."""
    file: str
    """As in the labels file, relative to it: the image's id."""
    source: str
    study: str
    patient: str
    view: View
    file_sha256: str
    """Of the source file's bytes."""
    pixel_sha256: str
    """Of the squashed pixels: tells the same picture under another name."""
    warnings: tuple[str, ...] = ()
    """Codes of what was odd about reading it."""
    has_header: bool = False
    """Whether there was a header, in the file or in a table beside it: False of a bare picture."""
    manufacturer: str = ""
    """`HeaderFacts.manufacturer`; empty where there is no header or it is silent."""
    header_view: View | None = None
    """`HeaderFacts.view`; None where there is no header or it says nothing known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A labelled set as the network takes it, whole."""

    images: tuple[PreparedImage, ...]
    """In the order of the labels file; `images[k]` is `pixels[k]`."""
    pixels: NDArray[np.uint8]
    """Shape (n, 256, 256), uint8, read-only, mapped from the disk."""
    failures: tuple[Failure, ...] = ()
    """Labelled files that could not be read, and so have no row; `path` is the label's file."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What it was made from and how; `content_sha256` names index and pixels together."""

    def __post_init__(self) -> None:
        if self.pixels.shape[0] != len(self.images):
            raise ValueError(
                f"{plural(len(self.images), 'image has', 'images have')} "
                f"{plural(self.pixels.shape[0], 'picture')}"
            )

    @property
    def content(self) -> dict[str, str]:
        """File to the SHA-256 of its squashed pixels, as `check_split` asks for it."""
        return {image.file: image.pixel_sha256 for image in self.images}


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialised:
    """The variants of many progenitors, made beforehand; `cxrview augment --materialise`."""

    files: tuple[str, ...]
    """Of each progenitor, as in the prepared store."""
    partitions: tuple[Partition, ...]
    """Of each progenitor: training or validation."""
    variants: tuple[str, ...]
    """Their names."""
    pixels: NDArray[np.uint8]
    """Shape (files, variants, 256, 256), uint8, read-only, mapped from the disk."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Seed, edge, and what it was made from."""
    _rows: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _columns: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.pixels.shape[:2] != (len(self.files), len(self.variants)):
            raise ValueError(f"{len(self.files)} progenitors have {self.pixels.shape[0]}")
        # A training asks for every image: to look through the names each time would add up.
        object.__setattr__(self, "_rows", {file: k for k, file in enumerate(self.files)})
        object.__setattr__(self, "_columns", {name: k for k, name in enumerate(self.variants)})

    def find(self, file: str, variant: str) -> NDArray[np.uint8] | None:
        """Pixels of one variant, shape (256, 256), uint8; None where it was not made."""
        row, column = self._rows.get(file), self._columns.get(variant)
        if row is None or column is None:
            return None
        found: NDArray[np.uint8] = self.pixels[row, column]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which partition each image of a study belongs to; an image without one is left out."""

    partitions: Mapping[str, Partition]
    """File, as in the labels file, to its partition."""
    by: str
    """`patient`, `image` (the paper's way: a patient may be in two partitions) or `rule`."""
    seed: int | None = None
    """None where nothing was drawn: by rule, or as somebody gave it."""

    def __post_init__(self) -> None:
        if self.by not in ("patient", "image", "rule"):
            raise ValueError(f"a split is by patient, image or rule; got {self.by}")

    def files(self, partition: Partition) -> tuple[str, ...]:
        """The files of one partition."""
        return tuple(file for file, part in self.partitions.items() if part is partition)
