"""Every record that crosses from one room to another: frozen, checked, knowing nothing of files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.terms import Agreement, Decision, Partition, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One image in an archive: where it lies, and what its header claims.

    Text from headers is cleaned of control characters and cut to 64. A raster file
    (PNG, JPEG, TIFF) has no header: its DICOM fields are empty.
    """

    path: str
    """The file or URL as the user named it."""
    content_id: str
    """BLAKE2b-128 of the file's bytes, as hexadecimal: tells copies under other names."""
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    study_instance_uid: str = ""
    patient_key: str = ""
    """Keyed pseudonym of the patient's id, or the id itself where the user asked for it."""
    sop_class_uid: str = ""
    modality: str = ""
    body_part: str = ""
    manufacturer: str = ""
    manufacturer_model: str = ""
    study_year: int | None = None
    photometric: str = ""
    transfer_syntax: str = ""
    """UID, as in the file's meta information (PS3.5 section 10)."""
    rows: int | None = None
    columns: int | None = None
    frames: int | None = None
    header_view_position: str = ""
    """View Position (0018,5101) as it stands there."""
    header_view_code: str = ""
    """First item of View Code Sequence (0054,0220) as `value^scheme`."""
    header_view: View | None = None
    """What the two say by the mapping table; None where they say nothing known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Radiograph:
    """An instance and its grey pixels, as a reader would see them: bone bright, air dark."""

    instance: Instance
    pixels: NDArray[np.uint8]
    """Shape (rows, columns), uint8, read-only, MONOCHROME2, windowed from minimum to maximum."""
    warnings: tuple[str, ...] = ()
    """Codes of what a user should know, such as `first_of_frames`."""
    is_constant: bool = False
    """Every pixel has the same value, so that there is nothing to see."""

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.dtype != np.uint8:
            got = f"{self.pixels.shape} {self.pixels.dtype}"
            raise ValueError(f"a radiograph is (rows, columns) uint8; got {got}")
        self.pixels.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The settled truth about one image of a labelled set."""

    file: str
    """Path relative to the labels file."""
    source: str
    patient: str
    view: View
    partition: Partition
    study: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What one model says of one image, and what was decided on it: one row of the result."""

    instance: Instance
    decision: Decision
    view: View | None = None
    """None unless classified."""
    pfi: float | None = None
    """Probability of frontal, in percent, 0 to 100; None where the model was not asked."""
    agreement: Agreement | None = None
    """None unless classified."""
    warnings: tuple[str, ...] = ()
    model_id: str = ""
    """`ModelCard.model_id` of the weights that said so."""

    def __post_init__(self) -> None:
        if self.pfi is not None and not 0 <= self.pfi <= 100:
            raise ValueError(f"pfi is a percentage, 0 to 100; got {self.pfi}")
        if (self.view is not None) != (self.decision is Decision.CLASSIFIED):
            raise ValueError(f"a view is given if and only if classified; got {self.decision}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that gave no result: an error as a row."""

    path: str
    code: str
    reason: str
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """The range of cutoffs with the largest Youden's J, in percent PFI."""

    low: float
    """Lowest cutoff of the maximising range that holds the highest."""
    high: float
    """Highest maximising cutoff: the one that the paper takes."""
    youden_j: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval of a proportion, both ends in 0 to 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquared:
    """A pooled comparison of two proportions, one degree of freedom."""

    statistic: float
    p: float
    corrected_statistic: float
    """With Yates' continuity correction."""
    corrected_p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What a model is, what it decides by, and what is known of how well."""

    model_id: str
    """Recipe and the first eight digits of the weights' SHA-256: names the weights in every row."""
    weights_sha256: str
    input_side: int
    """Rows and columns of the squashed radiograph that it takes."""
    cutoff: float
    """Frontal where PFI is at least this; in percent. Middle of Youden's maximising range."""
    paper_cutoff: float
    """Higher end of that range, which the paper takes; kept for the record."""
    review_band: tuple[float, float]
    """Lowest and highest PFI, ends included, of which the model says that it is not sure."""
    precision: str
    """How the weights are stored and computed with, such as `fp16 stored, fp32 computed`."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Data, partitions, recipe, counts with intervals, readers, licences, use and limits."""

    def __post_init__(self) -> None:
        low, high = self.review_band
        if not 0 <= low <= high <= 100:
            raise ValueError(f"a review band is LOW HIGH within 0 to 100; got {low} {high}")
        for name in ("cutoff", "paper_cutoff"):
            if not 0 <= getattr(self, name) <= 100:
                raise ValueError(f"{name} is a percentage, 0 to 100")


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
        return f"{self.pose}/{self.perturbation}" if self.perturbation else "progenitor"

    def __post_init__(self) -> None:
        if self.perturbation is None and self.pose != "identity":
            raise ValueError(f"the progenitor stands as it was; got pose {self.pose}")


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
            raise ValueError(f"{len(self.images)} images have {self.pixels.shape[0]} pictures")

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

    def __post_init__(self) -> None:
        if self.pixels.shape[:2] != (len(self.files), len(self.variants)):
            raise ValueError(f"{len(self.files)} progenitors have {self.pixels.shape[0]}")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoByTwo:
    """Images counted by their true view and by what a classifier called them (paper, section 6)."""

    frontal_called_frontal: int
    frontal_called_lateral: int
    lateral_called_frontal: int
    lateral_called_lateral: int

    def __post_init__(self) -> None:
        counts = (self.frontal, self.lateral, self.right, self.total - self.right)
        if min(counts) < 0 or self.total == 0:
            raise ValueError(f"a table counts at least one image; got {self}")

    @property
    def frontal(self) -> int:
        """Images that are frontal."""
        return self.frontal_called_frontal + self.frontal_called_lateral

    @property
    def lateral(self) -> int:
        """Images that are lateral."""
        return self.lateral_called_frontal + self.lateral_called_lateral

    @property
    def right(self) -> int:
        """Images called what they are."""
        return self.frontal_called_frontal + self.lateral_called_lateral

    @property
    def total(self) -> int:
        """All images."""
        return self.frontal + self.lateral

    @property
    def accuracy(self) -> float:
        """Share of right ones, 0 to 1."""
        return self.right / self.total

    @property
    def sensitivity(self) -> float | None:
        """Share of frontal images called so, 0 to 1; None where there are none."""
        return self.frontal_called_frontal / self.frontal if self.frontal else None

    @property
    def specificity(self) -> float | None:
        """Share of lateral images called so, 0 to 1; None where there are none."""
        return self.lateral_called_lateral / self.lateral if self.lateral else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The images that have one thing in common, such as a source or a manufacturer."""

    kind: str
    """What they are told apart by: `source`, `manufacturer`."""
    name: str
    """Which one; empty for images of which nobody says."""
    table: TwoByTwo
    interval: Interval
    """Of the accuracy, Clopper-Pearson, 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Images of similar PFI, and how many of them really are frontal."""

    low: float
    """Percent; images lie above it, except that the first bin holds 0 as well."""
    high: float
    """Percent; images lie at it or below."""
    images: int
    mean_pfi: float
    """What the classifier says on average, percent."""
    percent_frontal: float
    """What is true."""
    interval: Interval
    """Of the share that is frontal, Clopper-Pearson, 95 %; 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """How well a classifier does on images whose views are known."""

    cutoff: float
    """Frontal where PFI is at least this; percent. Chosen elsewhere, as a rule."""
    table: TwoByTwo
    interval: Interval
    """Of the accuracy, Clopper-Pearson, 95 %."""
    slices: tuple[Slice, ...]
    best: Cutoff | None
    """What these images would have chosen, to look at; None where a view is missing."""
    reliability: tuple[ReliabilityBin, ...]
    """Of bins that hold an image, from low to high."""
    calibration_error: float
    """Expected calibration error, in percentage points."""
