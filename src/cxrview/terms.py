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


class Role(StrEnum):
    """What a reader of an annotation study may do; one person may hold both (paper, section 1)."""

    READER = "reader"
    ADJUDICATOR = "adjudicator"
    MANAGER = "manager"
    """Looks after the study in the browser: readers, links, progress, export; labels nothing."""


class ReadingRound(StrEnum):
    """Why an image was looked at."""

    BLIND = "blind"
    """Each reader alone, knowing nothing but the picture."""
    ADJUDICATION = "adjudication"
    SECOND_LOOK = "second look"
    """After the blind round, with what the model says in sight."""


class Action(StrEnum):
    """What a reader did with an image."""

    LABEL = "label"
    EXCLUDE = "exclude"
    POSTPONE = "postpone"
    """To be shown again at the end."""
    FLAG = "flag"
    """Marked for a talk; it is read all the same."""
    UNFLAG = "unflag"
    UNDO = "undo"


class Method(StrEnum):
    """By what means a reading was made."""

    SINGLE = "single"
    GRID = "grid"
    """Left as it was on a page of thumbnails that was confirmed."""
    GRID_EXCEPTION = "grid exception"
    """Marked on a page of thumbnails."""
    IMPORT = "import"


class StudyEvent(StrEnum):
    """What can be done to a study besides reading its images; each is an entry of its log."""

    BLIND_ROUND_CLOSED = "blind round closed"
    IMPORTED = "imported"
    IMPORT_UNDONE = "import undone"
    READER_RENAMED = "reader renamed"
    READER_RETIRED = "reader retired"
    """Reads no more; the readings made before count."""
    READINGS_WITHDRAWN = "readings withdrawn"
    """None of a reader's readings counts."""
    READER_RESTORED = "reader restored"
    """Neither retired nor withdrawn any more."""
    OPINION_SHOWN = "opinion shown"
    """A reader was shown what the model or the other readers say of an image, for the first
    time."""
    IMAGE_REVEALED = "image revealed"
    """A reader was shown what the model or the other readers say of one image, or of all."""


class LabelStatus(StrEnum):
    """How an image came by its label, or where it waits."""

    UNREAD = "unread"
    AWAITING = "awaiting"
    """Fewer independent readings than the study asks for."""
    AGREED = "agreed"
    CONFLICT = "conflict"
    """Waits for the adjudicator; a label against an exclusion is one too."""
    ADJUDICATED = "adjudicated"
    SECOND_LOOK = "second look"
    """Changed after the blind round, with the model's opinion known."""
