"""One image of an archive: its identity and header facts, its pixels, and its result."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.records.pixels import grey_picture
from cxrview.terms import Agreement, Decision, Projection, View


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One image in an archive: its path, and the facts of its header.

    Text from headers is cleaned of control characters and cut to 64. A raster file
    (PNG, JPEG, TIFF) has no header: its DICOM fields are empty.

    Attributes:
        path: the file or URL as the user named it.
        content_id: digest of the file's bytes, 128 bits as hexadecimal: the same for copies under
            other names. Empty if not all of them were read.
        sop_instance_uid: SOP Instance UID (0008,0018).
        series_instance_uid: Series Instance UID (0020,000E).
        study_instance_uid: Study Instance UID (0020,000D).
        patient_key: keyed pseudonym of the Patient ID (0010,0020), or the id itself where the user
            asked for it; empty without an id or key.
        sop_class_uid: SOP Class UID (0008,0016).
        modality: Modality (0008,0060), such as `CR` or `DX`.
        body_part: Body Part Examined (0018,0015).
        manufacturer: Manufacturer (0008,0070).
        manufacturer_model: Manufacturer's Model Name (0008,1090).
        study_year: year of Study Date (0008,0020); None if there is none.
        photometric: Photometric Interpretation (0028,0004), such as `MONOCHROME2`.
        transfer_syntax: UID, as in the file meta information (PS3.5 section 10).
        rows: rows of the image as stored; None if unknown.
        columns: columns of the image as stored; None if unknown.
        frames: frames of a DICOM object, or pages of a TIFF file; None if unknown.
        header_view_position: View Position (0018,5101), as it is in the header.
        header_view_code: first item of View Code Sequence (0054,0220) as `value^scheme`.
        header_view: the view that these two name by the mapping table; None if they name none
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
        pfi: probability of a frontal image in percent, 0 to 100; None if the model was not run.
        chest: probability of a chest radiograph in percent, 0 to 100; None if the model was not
            run, or has no such output.
        agreement: whether the header names the same view; None unless classified.
        warnings: codes of what a user should know, such as `first_of_frames`.
        model_id: `ModelCard.model_id` of the weights that decided on the view.
        projection: AP or PA of a frontal radiograph; None if the model is not sure enough, as the
            following.
        projection_ap: probability of AP and not PA in percent; None unless frontal.
        rotation: by how many degrees the picture is turned clockwise: 0, 90, 180 or 270.
        rotation_probability: of the most probable of the four, in percent.
        mirrored: whether left and right of a frontal radiograph are exchanged.
        mirrored_probability: that they are, in percent; None unless frontal.
        inverted: whether bone is dark.
        inverted_probability: that it is, in percent.
    """

    instance: Instance
    decision: Decision
    view: View | None = None
    pfi: float | None = None
    chest: float | None = None
    agreement: Agreement | None = None
    warnings: tuple[str, ...] = ()
    model_id: str = ""
    projection: Projection | None = None
    projection_ap: float | None = None
    rotation: int | None = None
    rotation_probability: float | None = None
    mirrored: bool | None = None
    mirrored_probability: float | None = None
    inverted: bool | None = None
    inverted_probability: float | None = None

    def __post_init__(self) -> None:
        for name in _PERCENTAGES:
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 100:
                raise ValueError(f"{name} is a percentage, 0 to 100; got {value}")
        if (self.view is not None) != (self.decision is Decision.CLASSIFIED):
            raise ValueError(f"a view is given if and only if classified; got {self.decision}")

    @property
    def orientation(self) -> int | None:
        """The value of EXIF's tag Orientation (0x0112), 1 to 8, that displays the image upright.

        None if the turn is unknown, or, for a frontal radiograph, whether it is mirrored. Laterals
        count as not mirrored: both directions are in use.
        """
        is_mirrored = False if self.view is View.LATERAL else self.mirrored
        if self.rotation is None or is_mirrored is None or self.view is None:
            return None
        return EXIF_ORIENTATIONS[is_mirrored][self.rotation // 90]


EXIF_ORIENTATIONS = ((1, 8, 3, 6), (2, 7, 4, 5))
"""EXIF's Orientation by whether the picture was mirrored left for right, and then by how many
quarters it was turned clockwise (Exif 3.0, section 4.6.5.1.6)."""
_PERCENTAGES = (
    *("pfi", "chest", "projection_ap"),
    *("rotation_probability", "mirrored_probability", "inverted_probability"),
)


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
