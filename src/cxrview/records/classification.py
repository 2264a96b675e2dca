"""What is known of an image in an archive, and what a model says of it."""

from dataclasses import dataclass

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
