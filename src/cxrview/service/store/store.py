"""The store: what was received, what became of it, and what is still to be delivered."""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from cxrview.errors import CannotWrite
from cxrview.service.configuration import QueueSettings
from cxrview.service.records import (
    Arrival,
    Counts,
    DeadLetter,
    Delivery,
    DeliveryState,
    HourCounts,
    QueuedImage,
    Receipt,
    Result,
)
from cxrview.service.store.counting import count_all, count_hours
from cxrview.service.store.disk_errors import explained, raising_cannot_write
from cxrview.service.store.group_commit import GroupCommit
from cxrview.service.store.identity import Identity, identify
from cxrview.service.store.ledger import Ledger
from cxrview.service.store.objects import ObjectFolder
from cxrview.service.store.retries import RetryTimes

_FORGET_AT_ONCE = 500
"""Images removed in one transaction, so that others do not wait for long."""
_RETRIED_SHARE = 4
"""One delivery in so many may be one that failed before, so that new ones are never held up."""


class Store:
    """The queue on the disk; safe from any thread.

    An image is on the disk, then its row is committed, then `accept` returns. So an image that was
    acknowledged is never lost, and one that was not is not in the queue after a crash.

    Changes are carried out by `GroupCommit`, so that callers share commits; reads have a connection
    of their own, and do not wait for them.

    Args:
        folder: of the queue; it is created.
        min_free_bytes: images are refused while less space is free, so that those in the queue can
            still be classified and sent.
        now: wall clock, seconds since 1970; only shown and compared with days.
        monotonic: clock of the waits between tries, which a change of the wall clock does not
            move.

    Raises:
        UsageError: the ledger of the folder is of another version.
        CannotWrite: the disk is full or fails.
    """

    def __init__(
        self,
        folder: Path,
        *,
        min_free_bytes: int = 0,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._min_free_bytes, self._now, self._monotonic = min_free_bytes, now, monotonic
        self._signals: list[threading.Event] = []
        self._lock = threading.RLock()
        """Protects reads and what is in memory. It is never held while waiting for a change."""
        self._claimed: set[int] = set()
        with raising_cannot_write(folder):
            self._objects = ObjectFolder(folder)
            self._ledger = Ledger(folder / "ledger.sqlite")
            self._changes = GroupCommit(
                Ledger(folder / "ledger.sqlite"),
                self._objects.sync_names,
                partial(explained, folder),
            )
        self._retries = RetryTimes(self._ledger.tried_deliveries())

    @classmethod
    def opened(cls, settings: QueueSettings) -> Self:
        """Open the queue of a configuration, which another process may serve."""
        return cls(settings.folder, min_free_bytes=settings.min_free_mb << 20)

    def close(self) -> None:
        """Finish the changes, and close the ledger."""
        self._changes.close()
        with self._lock:
            self._ledger.close()

    def new_signal(self) -> threading.Event:
        """A new event for one thread, set when there may be something to classify or send."""
        event = threading.Event()
        self._signals.append(event)
        return event

    def _signal(self) -> None:
        for event in self._signals:
            event.set()

    def recover(self) -> int:
        """Remove what a crash left: parts, and objects that are not in the ledger.

        None of them was acknowledged, so that their senders send them again. To be called at the
        start, by the one process that receives.

        Returns:
            Number of files removed.
        """
        with self._lock, raising_cannot_write(self._objects.folder):
            self._objects.flatten()
            needed = set(self._ledger.all_digests())
            orphans = [one for one in self._objects.digests() if one not in needed]
            for digest in orphans:
                self._objects.remove(digest)
            return self._objects.clear_unfinished() + len(orphans)

    def new_part(self) -> Path:
        """A name for an object that is being received, on the disk of the queue."""
        return self._objects.new_part()

    @property
    def work_folder(self) -> Path:
        """Folder for copies and reports while they are sent; emptied at the start."""
        return self._objects.work

    def check_space(self, size: int = 0) -> None:
        """Check that an object may be received.

        Args:
            size: of the object in bytes.

        Raises:
            CannotWrite: the disk is full, up to the reserve.
        """
        with raising_cannot_write(self._objects.folder):
            free = self._objects.free_bytes()
        if free - size < self._min_free_bytes:
            raise CannotWrite(
                f"{self._objects.folder} has {free >> 20} MB of free space, and "
                f"{self._min_free_bytes >> 20} MB are kept in reserve",
                "Free space on the disk of the queue",
            )

    def accept(self, part: Path, entrance: str, sender: str = "") -> Receipt:
        """Take an object over, which may be acknowledged once this returns.

        Args:
            part: complete, from `new_part`; it is gone afterwards, also after an error.
            entrance: see `QueuedImage`.
            sender: calling AE title of a C-STORE, otherwise empty.

        Raises:
            CannotWrite: the disk is full or fails; nothing was kept.
        """
        try:
            with raising_cannot_write(self._objects.folder):
                self.check_space()
                identity = identify(part)
                with part.open("rb+") as file:  # not in the thread of the commits: it takes longest
                    os.fsync(file.fileno())
            receipt: Receipt = self._changes.submit(
                partial(self._enter, part, identity, entrance, sender),
                undo=partial(self._remove_new, identity.digest),
            ).result()
        finally:
            part.unlink(missing_ok=True)
        if receipt.arrival is not Arrival.REPEATED:
            self._signal()
        return receipt

    def _enter(
        self, part: Path, identity: Identity, entrance: str, sender: str, ledger: Ledger
    ) -> Receipt:
        """Give an object its name, and enter it; both are on the disk after the commit."""
        known = ledger.find(identity.digest)
        if known is not None:
            if not self._objects.path_of(identity.digest).exists():  # removed by hand
                self._objects.keep(part, identity.digest)
            ledger.note_repeated()
            return Receipt(image_id=known, arrival=Arrival.REPEATED)
        self._objects.keep(part, identity.digest)
        try:
            return ledger.add(identity, entrance, sender, self._now())
        except BaseException:
            self._objects.remove(identity.digest)
            raise

    def _remove_new(self, digest: str, receipt: Receipt) -> None:
        if receipt.arrival is not Arrival.REPEATED:
            self._objects.remove(digest)

    def has_instance(self, sop_instance_uid: str) -> bool:
        """Whether an image with this SOP Instance UID is in the queue."""
        with self._lock:
            return self._ledger.has_instance(sop_instance_uid)

    def next_to_classify(self, most: int) -> list[QueuedImage]:
        """Take images that wait for the model, the oldest first; each is handed out once.

        An image that is neither recorded nor released is handed out again after a restart.
        """
        with self._lock:
            found = self._ledger.waiting_images(most + len(self._claimed))
            taken = [(one, digest) for one, digest in found if one.id not in self._claimed][:most]
            self._claimed.update(one.id for one, _ in taken)
        return [replace(one, path=self._objects.path_of(digest)) for one, digest in taken]

    def release(self, image_id: int) -> None:
        """Hand an image out again, which could not be classified for lack of a model."""
        self._unclaim(image_id)
        self._signal()

    def record_outcomes(self, results: Mapping[int, Result]) -> None:
        """Record what became of images, each together with its deliveries.

        Args:
            results: by the id of the image.

        Raises:
            CannotWrite: the disk is full or fails; images that were not recorded still wait, and
                stay claimed. It may be called again with all of them.
            Exception: one of them cannot be recorded, for another reason than the disk, and stays
                claimed; all others are recorded.
        """
        changes = [
            self._changes.submit(
                partial(_settle, image_id, result, self._now()),
                after=partial(self._unclaim, image_id),
            )
            for image_id, result in results.items()
        ]
        errors = [error for one in changes if (error := one.exception())]
        if any(one.deliveries for one in results.values()):
            self._signal()
        if errors:
            raise next((one for one in errors if isinstance(one, CannotWrite)), errors[0])

    def _unclaim(self, image_id: int, _: object = None) -> None:
        with self._lock:
            self._claimed.discard(image_id)

    def next_to_deliver(self, destination: str, most: int) -> list[Delivery]:
        """The deliveries that are due, without changing them: new ones first, then failed ones.

        A caller records each before it asks again.
        """
        with self._lock:
            found = self._ledger.fresh_deliveries(destination, most)
            room = max(most // _RETRIED_SHARE, most - len(found), 1)
            due = self._retries.due(destination, self._monotonic(), room)
            found += self._ledger.deliveries(due) if due else []
        return [replace(one, path=self._objects.path_of(digest)) for one, digest in found]

    def submit_stored(self, delivery: Delivery, note: str = "") -> "Future[None]":
        """Record that the destination confirmed a delivery, without waiting for the disk.

        Args:
            delivery: from `next_to_deliver`.
            note: a warning of the destination; no header value.

        Returns:
            Is done once the record is on the disk. It raises CannotWrite if the disk is full or
            fails; the delivery then still waits.
        """
        return self._record(delivery, DeliveryState.STORED, delivery.tries, note)

    def record_failed(
        self, delivery: Delivery, reason: str, *, wait_seconds: float, most_tries: int
    ) -> DeliveryState:
        """Record a try that failed; the last one makes a dead letter.

        Args:
            delivery: from `next_to_deliver`.
            reason: in words; no header value.
            wait_seconds: until the next try.
            most_tries: failed tries after which it is given up.

        Raises:
            CannotWrite: the disk is full or fails; the delivery still waits.
        """
        tries = delivery.tries + 1
        state = DeliveryState.WAITING if tries < most_tries else DeliveryState.DEAD
        self._record(delivery, state, tries, reason, self._monotonic() + wait_seconds).result()
        return state

    def _record(
        self, delivery: Delivery, state: DeliveryState, tries: int, reason: str, due: float = 0.0
    ) -> "Future[None]":
        def record(ledger: Ledger) -> None:
            ledger.record_delivery(delivery.id, state, tries, reason, self._now())

        def plan(_: None) -> None:
            with self._lock:
                if state is DeliveryState.WAITING:
                    self._retries.add(delivery.destination, delivery.id, due)
                else:
                    self._retries.drop(delivery.id)

        return self._changes.submit(record, after=plan)

    def note_destination(self, name: str, reason: str = "") -> None:
        """Record that a destination does not answer, or works where the reason is empty.

        Raises:
            CannotWrite: the disk is full or fails.
        """
        now = self._now()
        self._changes.submit(lambda ledger: ledger.note_destination(name, reason, now)).result()

    def counts(self) -> Counts:
        """Count images and deliveries, all at one moment."""
        with self._lock:
            return count_all(self._ledger.connection)

    def hours(self, hours: int = 24) -> list[HourCounts]:
        """Count what happened in each of the last hours, the oldest first."""
        with self._lock:
            return count_hours(self._ledger.connection, self._now(), hours)

    def dead_letters(self) -> list[DeadLetter]:
        """The deliveries that were given up, the oldest first."""
        with self._lock:
            return self._ledger.dead_letters()

    def retry_dead_letters(self, destination: str | None = None) -> int:
        """Let deliveries that were given up wait again, at once.

        Args:
            destination: only those to it; None for all.

        Returns:
            Their number.

        Raises:
            CannotWrite: the disk is full or fails.
        """
        number = self._changes.submit(
            lambda ledger: ledger.retry_dead_letters(destination)
        ).result()
        self._signal()
        return number

    def forget(self, older_than_seconds: float) -> int:
        """Remove images whose deliveries were all stored; they stay in the counts.

        Images that no rule covers are kept.

        Args:
            older_than_seconds: since they were classified.

        Returns:
            Number of images removed.

        Raises:
            CannotWrite: the disk fails.
        """
        before, removed = self._now() - older_than_seconds, 0
        while True:
            digests = self._changes.submit(
                lambda ledger: ledger.forget(before, _FORGET_AT_ONCE), after=self._remove_forgotten
            ).result()
            removed += len(digests)
            if len(digests) < _FORGET_AT_ONCE:
                return removed

    def _remove_forgotten(self, digests: Sequence[str]) -> None:
        """Remove objects, unless they were received again in the same commit."""
        for digest in digests:
            with self._lock:
                is_needed = self._ledger.find(digest) is not None
            if not is_needed:
                self._objects.remove(digest)


def _settle(image_id: int, result: Result, now: float, ledger: Ledger) -> None:
    ledger.settle(image_id, result, now)
