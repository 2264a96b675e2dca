"""The terms of the field as enumerations, spelled as in every table."""

from enum import StrEnum


class View(StrEnum):
    """View of a radiograph, as in the paper (section 1)."""

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
        """The view of this projection."""
        return View.FRONTAL if self in (Projection.PA, Projection.AP) else View.LATERAL


class Partition(StrEnum):
    """The part of a study that a patient's images belong to."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"


class Precision(StrEnum):
    """Arithmetic of a model."""

    FP32 = "fp32"
    INT8 = "int8"
    AUTO = "auto"
    """int8 if there are such weights and the processor is fast at it, otherwise fp32."""


class Device(StrEnum):
    """Hardware that a model runs on."""

    CPU = "cpu"
    CUDA = "cuda"
    AUTO = "auto"
    """cuda if ONNX Runtime was built for it, otherwise cpu."""


class ShippedModel(StrEnum):
    """Names of the models in the package."""

    DEFAULT = "default"
    """Another name of one of the others."""
    FAST = "fast"
    """Depthwise-separable convolutions on one grey channel, and `googlenet` for the images that
    these are not sure of; it also says how the image is turned, mirrored and inverted, and the
    projection."""
    GOOGLENET = "googlenet"
    """The paper's network."""


class Decision(StrEnum):
    """The outcome for one readable image."""

    CLASSIFIED = "classified"
    REVIEW = "review"
    """The model is unsure: a person should look at the image."""
    NOT_CHEST = "not_chest"
    """Not a chest radiograph by its pixels, so that it has no view."""
    SKIPPED = "skipped"
    """Not a chest radiograph by its header, so that the model is not run on it."""


class Agreement(StrEnum):
    """How the header's view compares with the model's."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    SILENT = "silent"
    """The header has no view, or one that is not in the mapping table."""


class Ruling(StrEnum):
    """What a person decided about the view that is proposed for an image."""

    ACCEPT = "accept"
    """The image shows the proposed view."""
    REJECT = "reject"
    """It does not."""
    UNREADABLE = "unreadable"
    """A person cannot see which view it shows, either."""


class Role(StrEnum):
    """What a reader of an annotation study may do; one person may have both (paper, section 1)."""

    READER = "reader"
    ADJUDICATOR = "adjudicator"
    MANAGER = "manager"
    """Administers the study in the browser: readers, links, progress, export; does not label."""


class ReadingRound(StrEnum):
    """The round of a reading."""

    BLIND = "blind"
    """Each reader alone, with no information but the image."""
    ADJUDICATION = "adjudication"
    SECOND_LOOK = "second look"
    """After the blind round, with the model's result displayed."""


class Action(StrEnum):
    """What a reader did with an image."""

    LABEL = "label"
    EXCLUDE = "exclude"
    POSTPONE = "postpone"
    """Shown again at the end."""
    FLAG = "flag"
    """Marked for discussion; it is read as well."""
    UNFLAG = "unflag"
    UNDO = "undo"


class Method(StrEnum):
    """How a reading was made."""

    SINGLE = "single"
    GRID = "grid"
    """Left unchanged on a confirmed page of thumbnails."""
    GRID_EXCEPTION = "grid exception"
    """Marked on a page of thumbnails."""
    IMPORT = "import"


class StudyEvent(StrEnum):
    """Events of a study besides readings; each is an entry of its log."""

    BLIND_ROUND_CLOSED = "blind round closed"
    IMPORTED = "imported"
    IMPORT_UNDONE = "import undone"
    READER_RENAMED = "reader renamed"
    READER_RETIRED = "reader retired"
    """The reader cannot read any more; earlier readings count."""
    READINGS_WITHDRAWN = "readings withdrawn"
    """None of the reader's readings count."""
    READER_RESTORED = "reader restored"
    """The reader, retired or withdrawn before, can read again."""
    OPINION_SHOWN = "opinion shown"
    """The result of the model or of other readers for an image was shown to a reader for the first
    time."""
    IMAGE_REVEALED = "image revealed"
    """A reader saw the result of the model or of the other readers for one image, or for all."""


class LabelStatus(StrEnum):
    """Label status of an image."""

    UNREAD = "unread"
    AWAITING = "awaiting"
    """Fewer independent readings than the study needs."""
    AGREED = "agreed"
    CONFLICT = "conflict"
    """Waits for the adjudicator; a label and an exclusion also conflict."""
    ADJUDICATED = "adjudicated"
    SECOND_LOOK = "second look"
    """Changed after the blind round, with the model's result known."""
