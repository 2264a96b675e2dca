"""What can go wrong with a file, each with its reason and what to do about it.

    CxrviewError
    ├── UsageError          the command or call cannot be carried out as given
    ├── InvalidModel        a model file or its card is damaged or does not fit
    ├── RunStopped          a run stopped before its end; what was finished is kept
    │   ├── CannotWrite     the disk took no more of the result
    │   ├── InputUnavailable      files that were there are not found any more
    │   ├── InferenceError   the device that the network runs on gave up
    │   ├── CannotSortFolder  a large folder cannot be sorted for want of temporary files
    │   └── WorkerStartError   the processes that read files cannot be started
    └── UnreadableImage     one file costs one row; a run goes on
        ├── CannotOpen      cannot_open
        ├── NotAFile        not_a_file
        ├── EmptyFile       empty_file
        ├── NotAnImage      not_an_image
        ├── Unsupported     unsupported
        ├── NoPixelData     no_pixel_data
        ├── Truncated       truncated
        ├── CorruptHeader   corrupt_header
        ├── CorruptPixels   corrupt_pixels
        ├── NestedTooDeep   nested_too_deep
        ├── TooLarge        too_large
        ├── OutOfMemory     memory
        ├── TimedOut        timeout
        ├── DecoderCrashed    decoder_crash
        └── Replaced        replaced

A message names the file, never a header value: that may name a patient.
"""

from typing import ClassVar


class CxrviewError(Exception):
    """Any failure that cxrview foresees; `reason` and `advice` are for people."""

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.reason}. {self.advice}" if self.advice else self.reason


class UsageError(CxrviewError):
    """The command or call cannot be carried out as given; exit code 2."""


class NoSuchDevice(UsageError):
    """The network cannot run here on the device asked for."""


class InvalidModel(CxrviewError):
    """A model file or its card is damaged, or they do not belong together."""


class RunStopped(CxrviewError):
    """A run stopped before its end; what was finished is kept for a resume."""


class CannotWrite(RunStopped):
    """The disk took no more of the result."""


class InputUnavailable(RunStopped):
    """Files that were there are not found any more: gone, or their disk is not mounted."""


class InferenceError(RunStopped):
    """The device that the network runs on gave up, such as a GPU whose memory another has taken."""


class CannotSortFolder(RunStopped):
    """The names of a large folder cannot be sorted: temporary files find no room."""


class WorkerStartError(RunStopped):
    """The processes that read files cannot be started."""


class UnreadableImage(CxrviewError):
    """One file that gave no grey pixels.

    Attributes:
        path: the file or URL, as the user named it.
        code: the reason in one word, stable, for filters and counts.
    """

    code: ClassVar[str] = "unreadable"

    def __init__(self, path: str, reason: str, advice: str) -> None:
        super().__init__(reason, advice)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}. {self.advice}"


class CannotOpen(UnreadableImage):
    """The file is gone, may not be read, or its disk failed."""

    code = "cannot_open"


class NotAFile(UnreadableImage):
    """A pipe, a device or a socket: opening it could wait for ever."""

    code = "not_a_file"


class EmptyFile(UnreadableImage):
    """No byte in it."""

    code = "empty_file"


class NotAnImage(UnreadableImage):
    """Neither DICOM nor a picture, by its first bytes."""

    code = "not_an_image"


class Unsupported(UnreadableImage):
    """An image in a format, transfer syntax or pixel type that is not read."""

    code = "unsupported"


class NoPixelData(UnreadableImage):
    """A DICOM object that should show an image and has none."""

    code = "no_pixel_data"


class Truncated(UnreadableImage):
    """The file ends before its pixels do."""

    code = "truncated"


class CorruptHeader(UnreadableImage):
    """The header is missing what is needed, or contradicts itself."""

    code = "corrupt_header"


class CorruptPixels(UnreadableImage):
    """The compressed pixels cannot be decoded, or do not fit the header."""

    code = "corrupt_pixels"


class NestedTooDeep(UnreadableImage):
    """Sequences within sequences beyond any sane depth."""

    code = "nested_too_deep"


class TooLarge(UnreadableImage):
    """More bytes or pixels than the limits allow; none of them was taken."""

    code = "too_large"


class OutOfMemory(UnreadableImage):
    """Reading needed more memory than a worker may have."""

    code = "memory"


class TimedOut(UnreadableImage):
    """Reading took longer than a file may take."""

    code = "timeout"


class DecoderCrashed(UnreadableImage):
    """The process that read the file died over it."""

    code = "decoder_crash"


class Replaced(UnreadableImage):
    """The file has other bytes than it had when the study was created."""

    code = "replaced"
