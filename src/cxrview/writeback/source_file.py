"""A file that is to be corrected: its header first, then its bytes from Pixel Data on.

Each byte is read once, and digested as it is read.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from cxrview.errors import CannotOpen, CorruptHeader, EmptyFile, NotAFile, TooLarge, UnreadableImage
from cxrview.image.fetch import ContentDigest
from cxrview.writeback.element_spans import (
    LONG_VRS,
    UNDEFINED,
    ElementReader,
    Incomplete,
    Malformed,
)
from cxrview.writeback.finding import Finding
from cxrview.writeback.header import Header, parse_header
from cxrview.writeback.refusals import ChangedSinceClassified, DigitallySigned

MOST_BYTES = 1 << 31
"""Of one file, as `cxrview classify` reads by default."""
_HEAD_BYTES = 1 << 16
"""First bytes that are read: most headers are shorter."""
_BLOCK_BYTES = 1 << 20
"""Bytes in memory at a time: few enough for the processor's cache, from reading to writing."""
_SIGNATURES = (b"\xfa\xff\xfa\xff", b"\xff\xfa\xff\xfa")
"""Digital Signatures Sequence (FFFA,FFFA), little and big endian."""


class SourceFile:
    """One file, open for reading, as a context manager.

    Args:
        finding: of the file.

    Raises:
        UnreadableImage: the file cannot be opened, or is too large.
    """

    def __init__(self, finding: Finding) -> None:
        self._path, self._content_id = finding.path, finding.content_id
        with self._reading():
            # O_NONBLOCK: opening a pipe would wait for ever.
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            handle = os.open(self._path, flags)
            facts = os.fstat(handle)
        if stat.S_ISDIR(facts.st_mode):
            os.close(handle)
            raise NotAFile(self._path, "it is a folder", "Name a regular file")
        self._file = os.fdopen(handle, "rb", buffering=0)
        self.size = facts.st_size
        try:
            self._check_kind(facts.st_mode)
        except BaseException:
            self.close()
            raise

    def _check_kind(self, mode: int) -> None:
        if not stat.S_ISREG(mode):
            raise NotAFile(self._path, "it is a pipe or a device", "Name a regular file")
        if self.size > MOST_BYTES:
            raise TooLarge(
                self._path, f"it has {self.size:,} bytes", "Files of this size are not written"
            )
        if self.size == 0:
            raise EmptyFile(self._path, "the file is empty")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def header(self) -> Header:
        """Read the header; refuse a file that changed since, is malformed or is signed.

        Raises:
            UnreadableImage: it is such a file.
        """
        try:
            header = self._parse()
            if not header.is_deflated:
                self._check_pixel_data(header)
        except UnreadableImage:
            self.check_content()  # of a file that was replaced, that is the reason
            raise
        return header

    def _parse(self) -> Header:
        length = _HEAD_BYTES
        while True:
            data = self._read(0, length)
            try:
                return parse_header(self._path, data, is_all=len(data) >= self.size)
            except Incomplete:
                length *= 16

    def _check_pixel_data(self, header: Header) -> None:
        """Refuse Pixel Data of an odd form, and a signature behind it."""
        head = self._read(header.end, 12)
        reader = ElementReader(head, is_implicit=header.is_implicit, is_little=header.is_little)
        try:
            _, begin, length = reader.head(0)
        except (Incomplete, Malformed):
            begin, length = 0, 0
        if not begin or (not header.is_implicit and head[4:6] not in LONG_VRS):
            raise CorruptHeader(
                self._path, "its Pixel Data element is malformed", "Repair or export it again"
            )
        begin += header.end
        end = begin + length if length != UNDEFINED else self._end_of_fragments(begin)
        rest = self._read(end, self.size - end) if end < self.size else b""
        if any(signature in rest for signature in _SIGNATURES):
            raise DigitallySigned(
                self._path,
                "it is signed digitally, and a change would break the signature",
                "Leave it as it is",
            )

    def _end_of_fragments(self, at: int) -> int:
        """Where the fragments end (PS3.5 A.4); the end of the file where no delimiter follows."""
        while len(head := self._read(at, 8)) == 8:
            at += 8
            if head[:4] != b"\xfe\xff\x00\xe0":
                return at
            at += int.from_bytes(head[4:], "little")
        return self.size

    def blocks_from(self, start: int) -> Iterator[memoryview]:
        """Read all of the file, give its bytes from `start` on, and check all of them at the end.

        Args:
            start: where Pixel Data begins.

        Raises:
            ChangedSinceClassified: after the last block, where the file is not the one that was
                classified. What was written of it must be dropped.
        """
        buffer, digest, at = memoryview(bytearray(_BLOCK_BYTES)), ContentDigest(), 0
        while count := self._read_into(buffer, at):
            digest.update(buffer[:count])
            if at + count > start:
                yield buffer[max(0, start - at) : count]
            at += count
        if self._content_id and digest.hexdigest() != self._content_id:
            raise ChangedSinceClassified(
                self._path,
                "its content is not what was classified",
                "Classify it again, then write back",
            )

    def check_content(self) -> None:
        """Read all of the file, and refuse one that is not the one that was classified.

        Raises:
            ChangedSinceClassified: it is another.
        """
        for _ in self.blocks_from(self.size):
            pass

    def _read_into(self, buffer: memoryview, at: int) -> int:
        """Fill the buffer; fewer bytes only at the end of the file."""
        filled = 0
        with self._reading():
            self._file.seek(at)
            while filled < len(buffer) and (count := self._file.readinto(buffer[filled:])):
                filled += count
        return filled

    def _read(self, at: int, length: int) -> bytes:
        """Read bytes; fewer only at the end of the file."""
        data = bytearray(max(0, min(length, self.size - at)))
        return bytes(data[: self._read_into(memoryview(data), at)])

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CannotOpen(
                self._path,
                f"it cannot be read: {error.strerror}",
                "Check the path and its permissions",
            ) from error
