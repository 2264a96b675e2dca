"""Why a file is not written back."""

from cxrview.errors import UnreadableImage


class ChangedSinceClassified(UnreadableImage):
    """The file holds other bytes than the one that was classified."""

    code = "changed_since_classified"


class DigitallySigned(UnreadableImage):
    """A change would break a Digital Signature (PS3.3 C.12.1.1.3)."""

    code = "digitally_signed"


class WithoutIdentity(UnreadableImage):
    """An instance without SOP Instance UID or SOP Class UID: nothing could refer to it."""

    code = "no_sop_instance_uid"


class NotProjectionImage(UnreadableImage):
    """An instance of a class to which the views of a chest radiograph do not belong."""

    code = "not_a_projection_image"
