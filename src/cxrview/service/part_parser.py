"""Parses a multipart body that arrives in pieces, and joins the headers of each part."""

from collections.abc import Mapping
from typing import Protocol

from python_multipart.multipart import MultipartParser


class PartHandler(Protocol):
    """Takes the parts of a body, one after the other; a refusal that it raises ends the parsing."""

    def begin_part(self) -> None:
        """A part begins."""

    def begin_data(self, headers: Mapping[bytes, bytes]) -> None:
        """Its headers are complete; their names are in lower case."""

    def add_data(self, data: memoryview) -> None:
        """A piece of its content has arrived."""

    def end_part(self) -> None:
        """The part is complete."""


class PartParser:
    """A parser of one body; the parsing itself is that of python-multipart.

    Args:
        boundary: of the parts.
        handler: takes them.

    Raises:
        FormParserError: the boundary is too long.
    """

    def __init__(self, boundary: bytes, handler: PartHandler) -> None:
        self._handler = handler
        self._headers: dict[bytes, bytes] = {}
        self._field, self._value = bytearray(), bytearray()
        self.is_ended = False
        """Whether the last boundary has arrived."""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin_part,
                "on_header_field": self._add_to_field,
                "on_header_value": self._add_to_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._begin_data,
                "on_part_data": self._add_data,
                "on_part_end": handler.end_part,
                "on_end": self._end,
            },
        )

    def write(self, body: bytes) -> None:
        """Take the next piece of the body.

        Raises:
            FormParserError: the body is malformed.
        """
        self._parser.write(body)

    def _begin_part(self) -> None:
        self._headers = {}
        self._handler.begin_part()

    def _add_to_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()

    def _begin_data(self) -> None:
        self._handler.begin_data(self._headers)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self._handler.add_data(memoryview(data)[start:end])

    def _end(self) -> None:
        self.is_ended = True
