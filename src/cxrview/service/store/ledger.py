"""The bookkeeping of the queue: one row an image, one a delivery, and totals.

Its methods begin no transaction: those that change rows are called by `GroupCommit`, in one.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from cxrview.service.records import (
    Arrival,
    DeadLetter,
    Delivery,
    DeliveryState,
    Form,
    ImageState,
    QueuedImage,
    Receipt,
    Result,
)
from cxrview.service.store.identity import Identity
from cxrview.service.store.schema import open_ledger


class Ledger:
    """The database of a queue. Its methods may be called by one thread at a time.

    Args:
        path: of the database; created if it does not exist.

    Raises:
        UsageError: the file is not a ledger of this version.
        sqlite3.Error: the disk is full or fails; so do all methods.
    """

    def __init__(self, path: Path) -> None:
        self.connection = open_ledger(path)

    def close(self) -> None:
        """Close the database."""
        self.connection.close()

    def find(self, digest: str) -> int | None:
        """The id of an image with this content."""
        row = self.connection.execute("SELECT id FROM images WHERE digest = ?", (digest,))
        found = row.fetchone()
        return found[0] if found else None

    def has_instance(self, sop_instance_uid: str) -> bool:
        """Whether there is an image with a SOP Instance UID."""
        found = self.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM images WHERE sop_instance_uid = ?)", (sop_instance_uid,)
        ).fetchone()
        return bool(sop_instance_uid) and found == (1,)

    def note_repeated(self) -> None:
        """Count an image that was received again."""
        self._add("repeated")

    def add(self, identity: Identity, entrance: str, sender: str, now: float) -> Receipt:
        """Enter an image whose object is on the disk."""
        conflicts = self.has_instance(identity.sop_instance_uid)
        cursor = self.connection.execute(
            "INSERT INTO images(digest, sop_instance_uid, modality, entrance, sender, "
            "received_at) VALUES (?, ?, ?, ?, ?, ?)",
            (
                identity.digest,
                identity.sop_instance_uid,
                identity.modality,
                entrance,
                sender,
                now,
            ),
        )
        self._add("received")
        if conflicts:
            self._add("conflicting")
        arrival = Arrival.CONFLICTING if conflicts else Arrival.NEW
        return Receipt(image_id=int(cursor.lastrowid or 0), arrival=arrival)

    def waiting_images(self, most: int) -> list[tuple[QueuedImage, str]]:
        """The images that wait longest for the model, each with its digest."""
        rows = self.connection.execute(
            "SELECT id, digest, entrance, sender, modality FROM images WHERE state = 'waiting' "
            "ORDER BY id LIMIT ?",
            (most,),
        )
        return [
            (
                QueuedImage(
                    id=id_, path=Path(), entrance=entrance, sender=sender, modality=modality
                ),
                digest,
            )
            for id_, digest, entrance, sender, modality in rows
        ]

    def settle(self, image_id: int, result: Result, now: float) -> bool:
        """Record what became of an image, and plan its deliveries; False if that was done."""
        changed = self.connection.execute(
            "UPDATE images SET state = ?, settled_at = ?, row = ?, code = ?, rule = ? "
            "WHERE id = ? AND state = 'waiting'",
            (
                result.state,
                now,
                json.dumps(dict(result.row)),
                result.row.get("code"),
                result.rule,
                image_id,
            ),
        ).rowcount
        if not changed:
            return False
        for one in result.deliveries:
            self.connection.execute(
                "INSERT INTO deliveries(image, destination, form) VALUES (?, ?, ?)",
                (image_id, one.destination, one.form),
            )
        self._add("deliveries", len(result.deliveries))
        return True

    def fresh_deliveries(self, destination: str, most: int) -> list[tuple[Delivery, str]]:
        """Deliveries that were not tried, the oldest first, each with the digest of its object."""
        return self._deliveries(
            "destination = ? AND deliveries.state = 'waiting' AND tries = 0 "
            "ORDER BY deliveries.id LIMIT ?",
            (destination, most),
        )

    def deliveries(self, ids: Sequence[int]) -> list[tuple[Delivery, str]]:
        """Deliveries by their ids, those of them that still wait."""
        places = ", ".join("?" * len(ids))
        return self._deliveries(
            f"deliveries.id IN ({places}) AND deliveries.state = 'waiting' ORDER BY deliveries.id",
            tuple(ids),
        )

    def tried_deliveries(self) -> list[tuple[int, str, int]]:
        """(id, destination, tries) of deliveries that failed and still wait."""
        return self.connection.execute(
            "SELECT id, destination, tries FROM deliveries WHERE state = 'waiting' AND tries > 0"
        ).fetchall()

    def record_delivery(
        self, delivery_id: int, state: DeliveryState, tries: int, reason: str, now: float
    ) -> None:
        """Record what became of a try."""
        self.connection.execute(
            "UPDATE deliveries SET state = ?, tries = ?, reason = ?, stored_at = ? "
            "WHERE id = ? AND state = 'waiting'",
            (
                state,
                tries,
                reason,
                now if state is DeliveryState.STORED else None,
                delivery_id,
            ),
        )

    def note_destination(self, name: str, reason: str, now: float) -> None:
        """Record that a destination fails, or works where the reason is empty."""
        self.connection.execute(
            "INSERT INTO destinations(name, failing_since, reason) VALUES (?1, ?2, ?3) "
            "ON CONFLICT(name) DO UPDATE SET reason = ?3, "
            "failing_since = CASE WHEN ?2 IS NULL THEN NULL ELSE coalesce(failing_since, ?2) END",
            (name, now if reason else None, reason),
        )

    def dead_letters(self) -> list[DeadLetter]:
        """The deliveries that were given up, the oldest first."""
        rows = self.connection.execute(
            "SELECT id, image, destination, form, tries, reason FROM deliveries "
            "WHERE state = 'dead' ORDER BY id"
        )
        return [
            DeadLetter(
                id=id_,
                image_id=image,
                destination=destination,
                form=Form(form),
                tries=tries,
                reason=reason,
            )
            for id_, image, destination, form, tries, reason in rows
        ]

    def retry_dead_letters(self, destination: str | None) -> int:
        """Let deliveries that were given up wait again; return their number."""
        return self.connection.execute(
            "UPDATE deliveries SET state = 'waiting', tries = 0 "
            "WHERE state = 'dead' AND (?1 IS NULL OR destination = ?1)",
            (destination,),
        ).rowcount

    def forget(self, settled_before: float, most: int) -> list[str]:
        """Remove images that a rule covered and whose deliveries are all stored.

        Their numbers are kept in the totals.

        Returns:
            The digests of the objects that are not needed any more, at most `most`.
        """
        rows = self.connection.execute(
            "SELECT id, digest, state FROM images WHERE settled_at < ? AND rule IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM deliveries WHERE image = images.id "
            "AND deliveries.state != 'stored') LIMIT ?",
            (settled_before, most),
        ).fetchall()
        for id_, _, state in rows:
            removed = self.connection.execute(
                "DELETE FROM deliveries WHERE image = ? RETURNING destination", (id_,)
            ).fetchall()
            for (destination,) in removed:
                self._add(f"stored:{destination}")
            self.connection.execute("DELETE FROM images WHERE id = ?", (id_,))
            self._add(state)
        return [digest for _, digest, _ in rows]

    def all_digests(self) -> Iterable[str]:
        """The objects that the ledger needs."""
        return (row[0] for row in self.connection.execute("SELECT digest FROM images"))

    def _deliveries(self, where: str, values: tuple[object, ...]) -> list[tuple[Delivery, str]]:
        rows = self.connection.execute(
            "SELECT deliveries.id, destination, form, tries, digest, images.state, row, settled_at "
            f"FROM deliveries JOIN images ON images.id = image WHERE {where}",
            values,
        )
        return [
            (
                Delivery(
                    id=id_,
                    destination=destination,
                    form=Form(form),
                    tries=tries,
                    path=Path(),
                    state=ImageState(state),
                    row=json.loads(row),
                    settled_at=settled_at,
                ),
                digest,
            )
            for id_, destination, form, tries, digest, state, row, settled_at in rows
        ]

    def _add(self, name: str, number: int = 1) -> None:
        self.connection.execute(
            "INSERT INTO totals(name, number) VALUES (?1, ?2) "
            "ON CONFLICT(name) DO UPDATE SET number = number + ?2",
            (name, number),
        )
