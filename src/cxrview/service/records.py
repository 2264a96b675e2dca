"""What the parts of the service hand to each other: images, deliveries and counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class ImageState(StrEnum):
    """State of one received image; each image is in exactly one."""

    WAITING = "waiting"
    """On the disk and acknowledged, not classified yet."""
    CLASSIFIED = "classified"
    REVIEW = "review"
    """The model is unsure."""
    REFUSED = "refused"
    """Not a chest radiograph, by its header or its pixels."""
    FAILED = "failed"
    """It cannot be read as an image."""


class DeliveryState(StrEnum):
    """State of one delivery: one object for one destination."""

    WAITING = "waiting"
    """To be stored; it has not been confirmed."""
    STORED = "stored"
    """The destination confirmed it."""
    DEAD = "dead"
    """Given up after too many tries, until `cxrview serve retry`."""


class Form(StrEnum):
    """The object that a delivery carries."""

    ORIGINAL = "original"
    """The image as it was received."""
    CORRECTED = "corrected"
    """A copy with the right view in its header; the original where nothing is to be corrected."""
    SR = "sr"
    """A structured report of the image."""


class Arrival(StrEnum):
    """What an accepted image is to the store."""

    NEW = "new"
    REPEATED = "repeated"
    """The store has these bytes already; nothing is added."""
    CONFLICTING = "conflicting"
    """Another image has the same SOP Instance UID and other bytes; both are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that an image is on the disk and in the ledger, so that it may be acknowledged."""

    image_id: int
    arrival: Arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedImage:
    """An image that waits for the model."""

    id: int
    path: Path
    """Of the object; it does not change."""
    entrance: str
    """Where it came in: `dicom`, `stow`, or `poll` with the name of the peer, as `poll:archive`."""
    sender: str
    """Calling AE title of a C-STORE, otherwise empty."""
    modality: str
    """Modality (0008,0060) by its header; empty if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDelivery:
    """An object that is to be sent somewhere."""

    destination: str
    """Its name in the configuration."""
    form: Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of an image, and what is to be sent."""

    state: ImageState
    """Any but WAITING."""
    row: Mapping[str, Any]
    """Columns of a result, or of a failure (`results.columns`), without `path`."""
    rule: str | None = None
    """Name of the rule that applied; None if none did, and the image is then kept for ever."""
    deliveries: tuple[PlannedDelivery, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An object that is due to be sent."""

    id: int
    destination: str
    form: Form
    tries: int
    """Failed ones so far."""
    path: Path
    """Of the original."""
    state: ImageState
    row: Mapping[str, Any]
    settled_at: float
    """When the image was classified, in seconds since 1970: the time that is written into a copy,
    so that every try makes the same bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A delivery that was given up."""

    id: int
    image_id: int
    destination: str
    form: Form
    tries: int
    reason: str
    """Of the last try; no header value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationCounts:
    """The deliveries to one destination."""

    stored: int = 0
    waiting: int = 0
    dead: int = 0
    failing_since: float | None = None
    """Since when nothing could be delivered, in seconds since 1970; None if it works."""
    reason: str = ""
    """Why the last delivery failed; no header value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """All images and deliveries since the queue was created.

    `received` and `deliveries` are counted when images arrive and deliveries are planned, apart
    from the states of the images, so that `adds_up` is a real check.
    """

    received: int = 0
    """Images acknowledged, those that were repeated left out."""
    waiting: int = 0
    classified: int = 0
    review: int = 0
    refused: int = 0
    failed: int = 0
    repeated: int = 0
    conflicting: int = 0
    deliveries: int = 0
    stored: int = 0
    to_be_stored: int = 0
    dead: int = 0
    undelivered: int = 0
    """Images whose decision no rule covers: they stay in the queue."""
    failures: Mapping[str, int] = field(default_factory=dict)
    """Failed images by the code of the failure, of those that are still in the queue."""
    destinations: Mapping[str, DestinationCounts] = field(default_factory=dict)

    @property
    def adds_up(self) -> bool:
        """Whether every image and every delivery is in exactly one state."""
        settled = self.classified + self.review + self.refused + self.failed
        return (
            self.received == settled + self.waiting
            and self.deliveries == self.stored + self.to_be_stored + self.dead
        )

    def in_words(self) -> str:
        """The two equations, one a line."""
        return (
            f"{self.received} received = {self.classified} classified + {self.review} review + "
            f"{self.refused} refused + {self.waiting} waiting + {self.failed} failed\n"
            f"{self.deliveries} deliveries = {self.stored} stored + {self.to_be_stored} to be "
            f"stored + {self.dead} dead"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCounts:
    """What happened within one hour."""

    start: float
    """In seconds since 1970."""
    received: int = 0
    classified: int = 0
    stored: int = 0
    failed: int = 0
