"""Writes the parts of a body of `multipart/related` (RFC 2387) to files, piece by piece."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from cxrview.service.http.refusal import Refusal, too_large
from cxrview.service.part_parser import PartParser

MOST_PARTS = 10_000
"""Objects of one request."""
_DICOM = b"application/dicom"
_ADVICE = (
    'Send multipart/related; type="application/dicom"; boundary=..., one part for each DICOM file '
    "(PS3.18 section 10.5)"
)


class MultipartFiles:
    """The parts of a body that arrives in pieces; each is written to a new file.

    Args:
        content_type: header of the request.
        new_part: gives the name of a new file.
        most_bytes: of one part.

    Raises:
        Refusal: the header names another type, or no usable boundary.
    """

    def __init__(self, content_type: str, new_part: Callable[[], Path], most_bytes: int) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/related":
            raise Refusal(415, "not_multipart", "the body is not multipart/related", _ADVICE)
        if options.get(b"type", _DICOM).lower() != _DICOM:
            raise _not_dicom()
        try:
            self._parser = PartParser(options[b"boundary"], self)
        except (KeyError, FormParserError, ValueError):
            raise _malformed("the boundary is missing or too long") from None
        self.files: list[Path] = []
        """Complete parts."""
        self._new_part, self._most_bytes = new_part, most_bytes
        self._file: IO[bytes] | None = None
        self._path: Path | None = None
        self._size = 0

    def write(self, body: bytes) -> None:
        """Take the next piece of the body.

        Raises:
            Refusal: the body is malformed, or a part is too large or of another type.
            OSError: the disk is full or fails.
        """
        if self._parser.is_ended:  # an epilogue, which has no meaning (RFC 2046)
            return
        try:
            self._parser.write(body)
        except FormParserError:
            raise _malformed("the body does not have this boundary, or is malformed") from None

    def finish(self) -> None:
        """Check that the body has ended, and had a part.

        Raises:
            Refusal: it did not.
        """
        if not self._parser.is_ended:
            raise _malformed("the body ends early")
        if not self.files:
            raise _malformed("the body has no part")

    def discard(self) -> None:
        """Remove all files that were not taken over."""
        if self._file:
            with suppress(OSError):
                self._file.close()
        for path in (*self.files, self._path):
            if path:
                with suppress(OSError):
                    path.unlink(missing_ok=True)

    def begin_part(self) -> None:
        """Count a part."""
        if len(self.files) == MOST_PARTS:
            raise _malformed(f"the body has more than {MOST_PARTS:,} parts")
        self._size = 0

    def begin_data(self, headers: Mapping[bytes, bytes]) -> None:
        """Open the file of a part."""
        kind = parse_options_header(headers.get(b"content-type", _DICOM))[0]
        if kind.lower() != _DICOM:
            raise _not_dicom()
        self._path = self._new_part()
        self._file = self._path.open("xb")

    def add_data(self, data: memoryview) -> None:
        """Write to the file of the part."""
        self._size += len(data)
        if self._size > self._most_bytes:
            raise too_large(self._most_bytes, "a part")
        if self._file:
            self._file.write(data)

    def end_part(self) -> None:
        """Close the file of the part."""
        if self._file and self._path:
            self._file.close()
            self.files.append(self._path)
        self._file = self._path = None


def _malformed(reason: str) -> Refusal:
    return Refusal(400, "malformed_multipart", reason, _ADVICE)


def _not_dicom() -> Refusal:
    return Refusal(415, "not_dicom", "the parts are not application/dicom", _ADVICE)
