"""What is known of an image in an archive, and what a model says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrview.records.pixels import grey_picture
from cxrview.terms import Agreement, Decision, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One image in an archive: where it lies, and what its header claims.

    Text from headers is cleaned of control characters and cut to 64. A raster file
    (PNG, JPEG, TIFF) has no header: its DICOM fields are empty.
    """

    path: str
    """The file or URL as the user named it."""
    content_id: str
    """Digest of the file's bytes, 128 bits as hexadecimal: tells copies under other names. Empty
    where not all of them were read."""
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
        object.__setattr__(self, "pixels", grey_picture(self.pixels, "a radiograph"))
        self.pixels.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What one model says of one image, and what was decided on it: one row of the result."""

    instance: Instance
    decision: Decision
    view: View | None = None
    """None unless classified."""
    pfi: float | None = None
    """Probability of frontal, in percent, 0 to 100; None where the model was not asked."""
    chest: float | None = None
    """Probability of a chest radiograph, in percent, 0 to 100; None where the model was not asked,
    or does not tell."""
    agreement: Agreement | None = None
    """None unless classified."""
    warnings: tuple[str, ...] = ()
    model_id: str = ""
    """`ModelCard.model_id` of the weights that said so."""

    def __post_init__(self) -> None:
        if self.pfi is not None and not 0 <= self.pfi <= 100:
            raise ValueError(f"pfi is a percentage, 0 to 100; got {self.pfi}")
        if self.chest is not None and not 0 <= self.chest <= 100:
            raise ValueError(f"chest is a percentage, 0 to 100; got {self.chest}")
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


SMOKE_TEST = "smoke test"
"""How the words begin that a training of `--scale smoke` has on its card, too."""


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
    temperature: float = 1.0
    """Divided the logit of frontal when the weights were written: PFI is already calibrated."""
    chest_cutoff: float | None = None
    """No chest radiograph where `chest` is below this; in percent. None of a network that was not
    taught to tell."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Data, partitions, recipe, counts with intervals, readers, licences, use and limits."""
    int8: "ModelCard | None" = None
    """Of the same network in integers of 8 bits, where it was quantised; it has cutoffs of its
    own."""

    @property
    def is_smoke_test(self) -> bool:
        """Whether it was made at `--scale smoke`, or from what was: its answers mean nothing."""
        return SMOKE_TEST in str(self.about.get("scale", ""))

    def __post_init__(self) -> None:
        low, high = self.review_band
        if not 0 <= low <= high <= 100:
            raise ValueError(f"a review band is LOW HIGH within 0 to 100; got {low} {high}")
        for name in ("cutoff", "paper_cutoff"):
            if not 0 <= getattr(self, name) <= 100:
                raise ValueError(f"{name} is a percentage, 0 to 100")
        if self.chest_cutoff is not None and not 0 <= self.chest_cutoff <= 100:
            raise ValueError("chest_cutoff is a percentage, 0 to 100")
        if not self.temperature > 0:
            raise ValueError(f"a temperature is above 0; got {self.temperature}")
