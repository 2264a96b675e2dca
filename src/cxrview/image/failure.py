"""Turn errors of reading a file into `Failure` records, the rows of the failures table."""

import struct
import zlib
from collections.abc import Callable
from typing import TypeVar

from cxrview.errors import OutOfMemory, UnreadableImage
from cxrview.records.classification import Failure

DAMAGE_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,  # a codec that imagecodecs was built without
    LookupError,
    OSError,
    RuntimeError,  # the base of imagecodecs' errors
    SyntaxError,
    TypeError,
    ValueError,  # the base of tifffile's
    struct.error,
    zlib.error,
)
"""Exceptions of Pillow, tifffile and their codecs for damaged files, besides `MemoryError`."""
_Result = TypeVar("_Result")


def read_or_failure(
    path: str, read: Callable[[], _Result], *, memory_advice: str = OutOfMemory.default_advice
) -> _Result | Failure:
    """Call `read`, and return a failure instead of raising its exception.

    Args:
        path: of the file, as the user named it.
        read: opens and decodes the file.
        memory_advice: what to do after a `MemoryError`.
    """
    try:
        return read()
    except Exception as error:  # a broken file can raise anything: the one broad except for files
        return failure_of(path, error, memory_advice=memory_advice)


def failure_of(
    path: str, error: Exception, *, memory_advice: str = OutOfMemory.default_advice
) -> Failure:
    """Return the failure for an exception that reading a file raised.

    Args:
        path: of the file, as the user named it.
        error: an `UnreadableImage` has code, reason and advice; of any other exception only the
        type is reported, since its message may quote a header value.
        memory_advice: what to do after a `MemoryError`.
    """
    if isinstance(error, MemoryError):
        reason = "reading it needs more memory than the process may take"
        error = OutOfMemory(path, reason, memory_advice)
    elif not isinstance(error, UnreadableImage):
        error = UnreadableImage(path, f"unexpected error while reading ({type(error).__name__})")
    return Failure(path=path, code=error.code, reason=error.reason, advice=error.advice)
