"""The errors of cxrview, each with its reason and what to do about it.

    CxrviewError
    ├── UsageError              the command or call cannot be carried out as given
    │   └── NoSuchDevice        the model cannot run on the requested device
    ├── InvalidModel            a model file or its card is damaged or does not fit
    ├── RunStopped              a run stopped before its end; finished work is kept
    │   ├── CannotWrite         the result cannot be written
    │   ├── InputUnavailable    files that were there are no longer found
    │   ├── InferenceError      the device that the model runs on failed
    │   ├── CannotSortFolder    a large folder cannot be sorted for lack of disk space
    │   └── WorkerStartError    the processes that read files cannot be started
    └── UnreadableImage         one file becomes a failure; the run continues
        ├── CannotOpen          cannot_open
        ├── NotAFile            not_a_file
        ├── EmptyFile           empty_file
        ├── NotAnImage          not_an_image
        ├── Unsupported         unsupported
        ├── NoPixelData         no_pixel_data
        ├── Truncated           truncated
        ├── CorruptHeader       corrupt_header
        ├── CorruptPixels       corrupt_pixels
        ├── NestedTooDeep       nested_too_deep
        ├── TooLarge            too_large
        ├── OutOfMemory         memory
        ├── TimedOut            timeout
        ├── DecoderCrashed      decoder_crash
        └── Replaced            replaced

A message names the file, never a header value: that may name a patient.
"""

from typing import ClassVar


class CxrviewError(Exception):
    """Base of all errors that cxrview raises on purpose.

    Attributes:
        reason: what happened, in the user's words.
        advice: what to do about it; may be empty.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.reason}. {self.advice}" if self.advice else self.reason


class UsageError(CxrviewError):
    """The command or call cannot be carried out as given; exit code 2."""


class NoSuchDevice(UsageError):
    """The model cannot run on the requested device."""


class InvalidModel(CxrviewError):
    """A model file or its card is damaged, or they do not belong together."""


class RunStopped(CxrviewError):
    """A run stopped before its end; finished work is kept, and the run can be resumed."""


class CannotWrite(RunStopped):
    """The result cannot be written, because the disk is full or fails."""


class InputUnavailable(RunStopped):
    """Files that were there are no longer found: deleted, or their disk is not mounted."""


class InferenceError(RunStopped):
    """The device that the model runs on failed, such as a GPU whose memory is used up."""


class CannotSortFolder(RunStopped):
    """The names in a large folder cannot be sorted, for lack of disk space for temporary files."""


class WorkerStartError(RunStopped):
    """The processes that read files cannot be started."""


class UnreadableImage(CxrviewError):
    """One file that cannot be read, or has no usable pixels.

    Args:
        path: the file or URL, as the user named it.
        reason: what is wrong with it.
        advice: what to do about it; None for the `default_advice` of the class.

    Attributes:
        code: the kind of error in one word, the same in all versions, for filters and counts.
        default_advice: what to do about most errors of this kind.
    """

    code: ClassVar[str] = "unreadable"
    default_advice: ClassVar[str] = "Please report it with the kind of file, not the file itself"

    def __init__(self, path: str, reason: str, advice: str | None = None) -> None:
        super().__init__(reason, self.default_advice if advice is None else advice)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {super().__str__()}"


_EXPORT_AGAIN = "Copy or export it again"


class CannotOpen(UnreadableImage):
    """The file does not exist, may not be read, or its disk fails."""

    code = "cannot_open"
    default_advice = "Check its name, links and permissions"


class NotAFile(UnreadableImage):
    """A folder, pipe, device or socket: opening a pipe could block for ever."""

    code = "not_a_file"
    default_advice = "Name a regular file"


class EmptyFile(UnreadableImage):
    """The file has no bytes."""

    code = "empty_file"
    default_advice = _EXPORT_AGAIN


class NotAnImage(UnreadableImage):
    """The file is not DICOM, PNG, JPEG or TIFF, by its first bytes."""

    code = "not_an_image"
    default_advice = _EXPORT_AGAIN


class Unsupported(UnreadableImage):
    """The image has a format, transfer syntax or pixel type that cxrview does not read."""

    code = "unsupported"
    default_advice = "Convert it to DICOM, PNG, JPEG or TIFF"


class NoPixelData(UnreadableImage):
    """The DICOM object or TIFF file has no pixels, such as a report."""

    code = "no_pixel_data"
    default_advice = _EXPORT_AGAIN


class Truncated(UnreadableImage):
    """The file ends before its pixels do."""

    code = "truncated"
    default_advice = _EXPORT_AGAIN


class CorruptHeader(UnreadableImage):
    """The header lacks what is needed to decode the pixels, or contradicts itself."""

    code = "corrupt_header"
    default_advice = _EXPORT_AGAIN


class CorruptPixels(UnreadableImage):
    """The compressed pixels cannot be decoded, or do not fit the header."""

    code = "corrupt_pixels"
    default_advice = _EXPORT_AGAIN


class NestedTooDeep(UnreadableImage):
    """Sequences are nested deeper than `Limits.max_nesting` or Python's stack allows."""

    code = "nested_too_deep"
    default_advice = _EXPORT_AGAIN


class TooLarge(UnreadableImage):
    """The file has more bytes or pixels than `Limits` allow; no memory was allocated for them."""

    code = "too_large"
    default_advice = "Raise the limit if it is a radiograph"


class OutOfMemory(UnreadableImage):
    """Reading the file needs more memory than the process may take."""

    code = "memory"
    default_advice = "Close other programs, or use a machine with more memory"


class TimedOut(UnreadableImage):
    """Reading the file took longer than the time limit."""

    code = "timeout"
    default_advice = "Give files more time with --timeout if the disk is slow"


class DecoderCrashed(UnreadableImage):
    """The process that read the file died."""

    code = "decoder_crash"
    default_advice = "The file is probably damaged; check it with another viewer"


class Replaced(UnreadableImage):
    """The bytes of the file have changed since the study was created."""

    code = "replaced"
    default_advice = "Put the original file back"
