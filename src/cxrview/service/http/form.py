"""Reads the one file of a form (multipart/form-data, RFC 7578) piece by piece.

Starlette's parser writes a file to the folder of temporary files first, which may be small or in
memory; here each piece goes to where the file is to be.
"""

from collections.abc import Iterator, Mapping

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from cxrview.service.http.refusal import Refusal
from cxrview.service.part_parser import PartParser

MOST_PARTS = 10
"""Parts of a form, files or not; the contents of fields are ignored."""


class FormFile:
    """The file of a form that arrives in pieces.

    Args:
        content_type: header of the request, with the boundary.

    Raises:
        Refusal: the header names no usable boundary.
    """

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        try:
            self._parser = PartParser(options[b"boundary"], self)
        except (KeyError, FormParserError, ValueError):
            raise _malformed("the boundary of the form is missing or too long") from None
        self.name: str | None = None
        """File name that the client gave; None until the file has begun."""
        self._parts = 0
        self._is_file = self._is_complete = False
        self._data: list[bytes] = []

    def pieces(self, body: bytes) -> Iterator[bytes]:
        """Parse a piece of the body, and yield what of the file is in it.

        Raises:
            Refusal: the form is malformed, or has two files.
        """
        try:
            self._parser.write(body)
        except FormParserError:
            raise _malformed("the form is malformed") from None
        data, self._data = self._data, []
        yield from data

    def finish(self) -> None:
        """Check that the form has ended, and had a file.

        Raises:
            Refusal: it did not.
        """
        if self.name is None:
            raise Refusal(
                422,
                "malformed_form",
                "the form has no file",
                "Send one file, such as with curl -F file=@NAME, or the file as the body",
            )
        if not self._is_complete or not self._parser.is_ended:
            raise _malformed("the form ends early")

    def begin_part(self) -> None:
        """Count a part."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _malformed("the form has too many parts")
        self._is_file = False

    def begin_data(self, headers: Mapping[bytes, bytes]) -> None:
        """Find out whether a part is the file."""
        kind, options = parse_options_header(headers.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise _malformed("a part of the form has no name")
        if b"filename" in options:
            if self.name is not None:
                raise _malformed("the form has several files")
            self._is_file = True
            self.name = options[b"filename"].decode("utf-8", "replace")

    def add_data(self, data: memoryview) -> None:
        """Keep a piece of the file until `pieces` yields it."""
        if self._is_file:
            self._data.append(bytes(data))

    def end_part(self) -> None:
        """Note whether the file is complete."""
        self._is_complete = self._is_complete or self._is_file


def _malformed(reason: str) -> Refusal:
    return Refusal(400, "malformed_form", reason, "Send one file, such as with curl -F file=@NAME")
