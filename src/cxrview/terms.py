"""The field's words as enumerations, spelled as they appear in every table."""

from enum import StrEnum


class View(StrEnum):
    """Which way the radiograph was taken, as the paper divides it (section 1)."""

    FRONTAL = "frontal"
    """Postero-anterior or antero-posterior."""
    LATERAL = "lateral"
    """From the left or from the right."""


class Projection(StrEnum):
    """The direction of the beam, in DICOM's terms for View Position (PS3.3 C.8.1.1)."""

    PA = "PA"
    AP = "AP"
    LL = "LL"
    RL = "RL"

    @property
    def view(self) -> View:
        """The view that this projection is one of."""
        return View.FRONTAL if self in (Projection.PA, Projection.AP) else View.LATERAL


class Partition(StrEnum):
    """Which part of the study a patient's images belong to."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"


class Precision(StrEnum):
    """What a network computes with."""

    FP32 = "fp32"
    INT8 = "int8"
    AUTO = "auto"
    """int8 where there are such weights and the processor is quick at it, else fp32."""


class Device(StrEnum):
    """What a network runs on."""

    CPU = "cpu"
    CUDA = "cuda"
    AUTO = "auto"
    """cuda where ONNX Runtime was built for it, else cpu."""


class Decision(StrEnum):
    """What was made of one readable image."""

    CLASSIFIED = "classified"
    REVIEW = "review"
    """The model is not sure: a person should look."""
    NOT_CHEST = "not_chest"
    """By its picture no chest radiograph, so that it has no view."""
    SKIPPED = "skipped"
    """By its header no chest radiograph, so the model was not asked."""


class Agreement(StrEnum):
    """How the header's view compares with the model's."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    SILENT = "silent"
    """The header names no view, or none that the mapping table knows."""
