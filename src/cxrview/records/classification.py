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

    Attributes:
        path: the file or URL as the user named it.
        content_id: digest of the file's bytes, 128 bits as hexadecimal: the same for copies under
            other names. Empty where not all of them were read.
        sop_instance_uid: SOP Instance UID (0008,0018).
        series_instance_uid: Series Instance UID (0020,000E).
        study_instance_uid: Study Instance UID (0020,000D).
        patient_key: keyed pseudonym of the Patient ID (0010,0020), or the id itself where the user
            asked for it; empty where there is no id, or no key.
        sop_class_uid: SOP Class UID (0008,0016).
        modality: Modality (0008,0060), such as `CR` or `DX`.
        body_part: Body Part Examined (0018,0015).
        manufacturer: Manufacturer (0008,0070).
        manufacturer_model: Manufacturer's Model Name (0008,1090).
        study_year: year of Study Date (0008,0020); None where there is none.
        photometric: Photometric Interpretation (0028,0004), such as `MONOCHROME2`.
        transfer_syntax: UID, as in the file meta information (PS3.5 section 10).
        rows: rows of the image as stored; None where unknown.
        columns: columns of the image as stored; None where unknown.
        frames: frames of a DICOM object, or pages of a TIFF file; None where unknown.
        header_view_position: View Position (0018,5101), as it is in the header.
        header_view_code: first item of View Code Sequence (0054,0220) as `value^scheme`.
        header_view: the view that these two name by the mapping table; None where they name none
            that is known.
    """

    path: str
    content_id: str
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    study_instance_uid: str = ""
    patient_key: str = ""
    sop_class_uid: str = ""
    modality: str = ""
    body_part: str = ""
    manufacturer: str = ""
    manufacturer_model: str = ""
    study_year: int | None = None
    photometric: str = ""
    transfer_syntax: str = ""
    rows: int | None = None
    columns: int | None = None
    frames: int | None = None
    header_view_position: str = ""
    header_view_code: str = ""
    header_view: View | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Radiograph:
    """An instance and its grey pixels, as a reader would see them: bone bright, air dark.

    Attributes:
        instance: the file, and what its header claims.
        pixels: shape (rows, columns), uint8, 0 to 255, read-only, bone bright (MONOCHROME2),
            windowed from minimum to maximum.
        warnings: codes of what a user should know, such as `first_of_frames`.
        is_constant: every pixel has the same value, so that there is nothing to see.
    """

    instance: Instance
    pixels: NDArray[np.uint8]
    warnings: tuple[str, ...] = ()
    is_constant: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "pixels", grey_picture(self.pixels, "a radiograph"))
        self.pixels.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """The output of a model for one image, and the decision on it: one row of the result.

    Attributes:
        instance: the file, and what its header claims.
        decision: `classified`, `review`, `not_chest` or `skipped`.
        view: `frontal` or `lateral`; None unless classified.
        pfi: probability of a frontal image in percent, 0 to 100; None where the model was not run.
        chest: probability of a chest radiograph in percent, 0 to 100; None where the model was not
            run, or has no such output.
        agreement: whether the header names the same view; None unless classified.
        warnings: codes of what a user should know, such as `first_of_frames`.
        model_id: `ModelCard.model_id` of the weights.
    """

    instance: Instance
    decision: Decision
    view: View | None = None
    pfi: float | None = None
    chest: float | None = None
    agreement: Agreement | None = None
    warnings: tuple[str, ...] = ()
    model_id: str = ""

    def __post_init__(self) -> None:
        if self.pfi is not None and not 0 <= self.pfi <= 100:
            raise ValueError(f"pfi is a percentage, 0 to 100; got {self.pfi}")
        if self.chest is not None and not 0 <= self.chest <= 100:
            raise ValueError(f"chest is a percentage, 0 to 100; got {self.chest}")
        if (self.view is not None) != (self.decision is Decision.CLASSIFIED):
            raise ValueError(f"a view is given if and only if classified; got {self.decision}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that gave no result: an error as a row.

    Attributes:
        path: the file or URL as the user named it.
        code: the reason in one word, stable, such as `truncated`; see `UnreadableImage`.
        reason: what is wrong, in words.
        advice: what to do about it.
    """

    path: str
    code: str
    reason: str
    advice: str


Outcome = Prediction | Failure
"""What becomes of one file."""


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
