"""What a destination is to the rest of the service: C-STORE and STOW-RS are alike here."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cxrview.service.records import Delivery


class DestinationDown(Exception):
    """A destination does not answer, or lets the service in.

    Objects that wait for it keep their number of tries.

    Args:
        reason: in words, without header values.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingObject:
    """A DICOM file that is to be sent."""

    delivery: Delivery
    path: Path
    sop_class_uid: str
    """These three are of its file meta information."""
    sop_instance_uid: str
    transfer_syntax: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a destination said to one object."""

    is_stored: bool
    """It confirmed that it has stored the object."""
    reason: str = ""
    """Why it did not, or its warning; no header value."""


class Sender(Protocol):
    """Sends objects to one destination. It is used by one thread at a time."""

    def send(self, objects: Sequence[OutgoingObject]) -> Generator[Answer, None, None]:
        """Send objects, and yield one answer for each, in their order, as they come.

        An object whose connection ends while it is sent gets an answer as well; the next one is
        sent on a new connection.

        Raises:
            DestinationDown: the destination does not answer; the other objects were not sent.
        """

    def check(self) -> None:
        """Ask the destination whether it answers (C-ECHO, or a QIDO-RS query).

        Raises:
            DestinationDown: it does not.
        """
