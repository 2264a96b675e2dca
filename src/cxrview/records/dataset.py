"""Labelled radiographs: labels, prepared images, splits and variants."""

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
    """The label of one radiograph."""

    file: str
    """Path relative to the labels file."""
    source: str
    patient: str
    """Empty if unknown; such images can only be split by image."""
    view: View
    partition: Partition | None
    """By the published rule; None if the patient is unknown."""
    study: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChest:
    """One labelled image that is not a chest radiograph and so has no view."""

    file: str
    """Path relative to the labels file."""
    source: str
    patient: str
    partition: Partition


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One of the 106 variants of each progenitor (paper, section 2)."""

    pose: str
    """A name of `dataset.augment.poses.POSES`."""
    perturbation: str | None
    """A name of `dataset.augment.perturb.PERTURBATIONS`; None for the unchanged progenitor."""

    @property
    def name(self) -> str:
        """`progenitor`, or pose and perturbation such as `flip-horizontal/spread`."""
        return f"{self.pose}/{self.perturbation}" if self.perturbation else PROGENITOR_NAME

    def __post_init__(self) -> None:
        if self.perturbation is None and self.pose != "identity":
            raise ValueError(f"a progenitor has the pose identity; got {self.pose}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFacts:
    """The facts of an image's header that a prepared store keeps."""

    manufacturer: str = ""
    """Manufacturer (0008,0070), cleaned and cut to 64 characters; empty if missing."""
    view: View | None = None
    """View by the mapping table; None if missing or unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedImage:
    """One row of a prepared store: labels, hashes and header facts of an image."""

    row: int
    """Index into the pixels, from 0."""
    file: str
    """Path as in the labels file: the image's id."""
    source: str
    study: str
    patient: str
    view: View
    file_sha256: str
    """SHA-256 of the source file."""
    pixel_sha256: str
    """SHA-256 of the squashed pixels, which identifies the same picture under another name."""
    warnings: tuple[str, ...] = ()
    """Codes of the warnings of reading it."""
    has_header: bool = False
    """Whether there was a header, in the file or in a table."""
    manufacturer: str = ""
    """`HeaderFacts.manufacturer`; empty without a header."""
    header_view: View | None = None
    """`HeaderFacts.view`; None without a header."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An opened, complete prepared store."""

    images: tuple[PreparedImage, ...]
    """In the order of the labels file; `images[k]` is `pixels[k]`."""
    pixels: NDArray[np.uint8]
    """Shape (n, 256, 256), uint8, read-only, memory-mapped."""
    failures: tuple[Failure, ...] = ()
    """Labelled files that could not be read and have no row; `path` is the label's file."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Content of about.json; `content_sha256` is the hash of index and pixels."""

    def __post_init__(self) -> None:
        if self.pixels.shape[0] != len(self.images):
            raise ValueError(
                f"{plural(len(self.images), 'image has', 'images have')} "
                f"{plural(self.pixels.shape[0], 'picture')}"
            )

    @property
    def content(self) -> dict[str, str]:
        """SHA-256 of the squashed pixels by file, for `check_split`."""
        return {image.file: image.pixel_sha256 for image in self.images}


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialised:
    """The variants of many progenitors, made in advance by `cxrview augment --materialise`."""

    files: tuple[str, ...]
    """File of each progenitor, as in the prepared store."""
    partitions: tuple[Partition, ...]
    """Partition of each progenitor: training or validation."""
    variants: tuple[str, ...]
    """Names of the variants."""
    pixels: NDArray[np.uint8]
    """Shape (files, variants, 256, 256), uint8, read-only, memory-mapped."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Content of about.json: seed, edge and inputs."""
    _rows: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _columns: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.pixels.shape[:2] != (len(self.files), len(self.variants)):
            raise ValueError(f"{len(self.files)} progenitors have {self.pixels.shape[0]}")
        # A training finds every image, so that searching the lists would take too long.
        object.__setattr__(self, "_rows", {file: k for k, file in enumerate(self.files)})
        object.__setattr__(self, "_columns", {name: k for k, name in enumerate(self.variants)})

    def find(self, file: str, variant: str) -> NDArray[np.uint8] | None:
        """Pixels of one variant, shape (256, 256), uint8; None if it was not made."""
        row, column = self._rows.get(file), self._columns.get(variant)
        if row is None or column is None:
            return None
        found: NDArray[np.uint8] = self.pixels[row, column]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The partition of each image of a study; images without one are left out."""

    partitions: Mapping[str, Partition]
    """Partitions by file, as in the labels file."""
    by: str
    """`patient`, `image` (the paper's way, with a patient possibly in two partitions) or `rule`."""
    seed: int | None = None
    """None for a split by rule, or one from elsewhere."""

    def __post_init__(self) -> None:
        if self.by not in ("patient", "image", "rule"):
            raise ValueError(f"a split is by patient, image or rule; got {self.by}")

    def files(self, partition: Partition) -> tuple[str, ...]:
        """The files of one partition."""
        return tuple(file for file, part in self.partitions.items() if part is partition)
