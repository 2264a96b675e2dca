"""The study log: imports, changes of readers, reveals and the closing of the blind round.

The log is append-only, like the readings: an undo is one more entry, and readings that do not count
any more are not deleted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from cxrview.annotate.database.logins import Logins, check_name_is_free, end_logins
from cxrview.annotate.database.rows import finite
from cxrview.annotate.database.schema import EVENT, READER, READING, STUDY_LOG
from cxrview.annotate.database.serving_lock import ServingLock, take_serving_lock
from cxrview.errors import UsageError
from cxrview.records.annotation import ImportedFile, LogEntry
from cxrview.terms import ReadingRound, StudyEvent

LATE_SECONDS = 30 * 60
"""Default time after the closing in which the server accepts readings that were made before it and
waited in a browser. It is our choice."""
ONLY_GROW = frozenset({READING.name, EVENT.name, STUDY_LOG.name})
"""Append-only tables: no row is ever changed or deleted."""
BLIND_ROUND_CLOSED = "blind round closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Readings that do not count any more."""

    ranges: tuple[tuple[int, int], ...] = ()
    """First and last number of each import that was undone."""
    reader_ids: frozenset[int] = frozenset()

    def holds(self, reading_id: int, reader_id: int) -> bool:
        """Whether a reading is withdrawn."""
        return reader_id in self.reader_ids or any(a <= reading_id <= b for a, b in self.ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """A reader saw the result of the model or of other readers for an image."""

    reader_id: int
    image_id: str | None
    """None for all images that the study had at that time."""
    images: int
    """If `image_id` is None, the number of revealed images, in the study's order; otherwise 1."""
    happened: datetime


class StudyLog(Logins):
    """The log of one study, and the changes that are recorded in it."""

    def log(self, after: int = 0) -> tuple[LogEntry, ...]:
        """Return all entries with a number above `after`, in order."""
        wanted = select(STUDY_LOG).where(STUDY_LOG.c.entry_id > after)
        with self._database.reading() as db:
            rows = db.execute(wanted.order_by(STUDY_LOG.c.entry_id)).all()
        return tuple(
            LogEntry(**{**row._asdict(), "what": StudyEvent(row.what), "facts": dict(row.facts)})
            for row in rows
        )

    def last_entry(self) -> int:
        """Return the number of the last entry; 0 if there is none."""
        with self._database.reading() as db:
            return _last_entry(db)

    def imports(self) -> tuple[ImportedFile, ...]:
        """Return all imports in order, including undone ones."""
        found: dict[int, ImportedFile] = {}
        for entry in self.log():
            if entry.what is StudyEvent.IMPORTED:
                one = ImportedFile(
                    happened=entry.happened,
                    **{name: entry.facts[name] for name in ("number", "file", "first", "last")},
                )
                found[one.number] = one
            elif entry.what is StudyEvent.IMPORT_UNDONE:
                number = entry.facts["number"]
                found[number] = replace(found[number], undone=entry.happened)
        return tuple(found.values())

    def undo_import(self, number: int) -> ImportedFile:
        """Withdraw all readings of an import.

        Raises:
            UsageError: the import does not exist, or was undone before.
        """
        with self._database.writing() as db:
            known = {one.number: one for one in self.imports()}
            if number not in known:
                raise UsageError(
                    f"the study has no import {number}", "See cxrview annotate imports STUDY"
                )
            if when := known[number].undone:
                raise UsageError(f"import {number} was already undone, {when:%Y-%m-%d %H:%M} UTC")
            add_entry(db, StudyEvent.IMPORT_UNDONE, {"number": number})
        return known[number]

    def rename_reader(self, reader_id: int, name: str) -> None:
        """Give a reader another name; the readings stay with the reader.

        Raises:
            UsageError: no reader has that id, or the name is taken or not printable.
        """
        name = name.strip()
        with self._database.writing() as db:
            check_name_is_free(db, name, except_of=reader_id)
            old = _name_of(db, reader_id)
            db.execute(update(READER).where(READER.c.reader_id == reader_id).values(name=name))
            add_entry(db, StudyEvent.READER_RENAMED, {"old": old, "new": name}, reader_id)

    def former_names(self) -> dict[str, str]:
        """Return the current name of each former name of a reader."""
        now = {reader.reader_id: reader.name for reader in self.readers()}
        renamed = (e for e in self.log() if e.what is StudyEvent.READER_RENAMED)
        former = {e.facts["old"]: now[e.reader_id] for e in renamed if e.reader_id in now}
        return {old: new for old, new in former.items() if old not in now.values()}

    def retire_reader(self, reader_id: int, *, withdraw: bool = False) -> None:
        """Retire a reader; with `withdraw` none of their readings counts.

        All logins of the reader end, and neither link nor password works.

        Raises:
            UsageError: no reader has that id, or the reader is retired.
        """
        now = datetime.now(UTC)
        with self._database.writing() as db:
            row = _row_of(db, reader_id)
            if row.retired and not (withdraw and not row.withdrawn):
                raise UsageError(f"{row.name} is already retired")
            values = {"retired": row.retired or now, "withdrawn": now if withdraw else None}
            db.execute(update(READER).where(READER.c.reader_id == reader_id).values(**values))
            end_logins(db, reader_id)
            what = StudyEvent.READINGS_WITHDRAWN if withdraw else StudyEvent.READER_RETIRED
            add_entry(db, what, {}, reader_id, now)

    def restore_reader(self, reader_id: int) -> None:
        """Restore a retired reader; all their readings count again.

        Raises:
            UsageError: no reader has that id, or the reader is active.
        """
        with self._database.writing() as db:
            row = _row_of(db, reader_id)
            if not row.retired:
                raise UsageError(f"{row.name} is not retired")
            values = {"retired": None, "withdrawn": None}
            db.execute(update(READER).where(READER.c.reader_id == reader_id).values(**values))
            add_entry(db, StudyEvent.READER_RESTORED, {}, reader_id)

    def note_opinion_shown(self, reader_id: int, when: datetime) -> None:
        """Record the first time that a reader saw the result of others for an image."""
        with self._database.writing() as db:
            if reader_id not in _shown_opinion(db):
                add_entry(db, StudyEvent.OPINION_SHOWN, {}, reader_id, when)

    def readers_shown_opinion(self) -> dict[int, datetime]:
        """Return, by reader id, when the reader first saw the result of the model or of others."""
        with self._database.reading() as db:
            return _shown_opinion(db)

    def record_reveals(
        self, reader_id: int, image_ids: Iterable[str], shown_in: ReadingRound, when: datetime
    ) -> None:
        """Record that a reader is about to see the result of others for these images.

        One entry is written for each image, and it is on the disk when this returns.

        Args:
            reader_id: of the reader.
            image_ids: not recorded for this reader before.
            shown_in: the round in which the images are shown.
            when: now.
        """
        with self._database.writing() as db:
            for image_id in image_ids:
                facts = {"image_id": image_id, "round": str(shown_in)}
                add_entry(db, StudyEvent.IMAGE_REVEALED, facts, reader_id, when)

    def record_reveal_of_all(self, reader_id: int, images: int, when: datetime) -> None:
        """Record that a reader will see the result of others for the first `images` images."""
        with self._database.writing() as db:
            facts = {"image_id": None, "images": images}
            add_entry(db, StudyEvent.IMAGE_REVEALED, facts, reader_id, when)

    def reveals(self, after: int = 0) -> tuple[Reveal, ...]:
        """Return the reveals of entries with a number above `after`, in order."""
        found = (e for e in self.log(after) if e.what is StudyEvent.IMAGE_REVEALED)
        return tuple(reveal for entry in found if (reveal := reveal_of(entry)))

    def late_limit(self) -> timedelta:
        """Return the time after the closing in which readings made before it are accepted."""
        for entry in self.log():
            if entry.what is StudyEvent.BLIND_ROUND_CLOSED:
                return timedelta(seconds=entry.facts["late_seconds"])
        return timedelta(seconds=LATE_SECONDS)

    def close_blind_round(
        self, when: datetime, *, late_seconds: float = LATE_SECONDS, left: int | None = None
    ) -> None:
        """Close the blind round, which cannot be undone; a second call has no effect.

        Args:
            when: now.
            late_seconds: time in which readings made before the closing are still accepted.
            left: number of readings not made yet, for the log; None if they were not counted.
        """
        with self._database.writing() as db:
            if _when_closed(db) is None:
                db.execute(insert(EVENT).values(what=BLIND_ROUND_CLOSED, happened=when))
                facts = {"late_seconds": late_seconds, "left": left}
                add_entry(db, StudyEvent.BLIND_ROUND_CLOSED, facts, None, when)

    def blind_round_closed(self) -> datetime | None:
        """Return when the blind round was closed; None while it is open."""
        with self._database.reading() as db:
            return _when_closed(db)

    def take_serving_lock(self, study_id: str) -> ServingLock:
        """Take the lock of the study's only server; see `serving_lock`."""
        return take_serving_lock(self._database.where, study_id, self._database)

    def unguarded_tables(self) -> set[str]:
        """Return the append-only tables that the database does not protect any more."""
        return set(ONLY_GROW - self._database.guarded_tables())

    def withdrawn(self) -> Withdrawn:
        """Return the readings that do not count any more."""
        undone = ((one.first, one.last) for one in self.imports() if one.undone)
        with self._database.reading() as db:
            withdrawn = db.scalars(
                select(READER.c.reader_id).where(READER.c.withdrawn.is_not(None))
            )
            return Withdrawn(ranges=tuple(undone), reader_ids=frozenset(withdrawn))


def reveal_of(entry: LogEntry) -> Reveal | None:
    """Return the reveal of a log entry; None if the entry is another event."""
    if entry.what is not StudyEvent.IMAGE_REVEALED or entry.reader_id is None:
        return None
    return Reveal(
        reader_id=entry.reader_id,
        image_id=entry.facts["image_id"],
        images=entry.facts.get("images", 1),
        happened=entry.happened,
    )


def add_entry(
    db: Connection,
    what: StudyEvent,
    facts: Mapping[str, Any],
    reader_id: int | None = None,
    when: datetime | None = None,
) -> None:
    """Append an entry, under the study's lock."""
    db.execute(
        insert(STUDY_LOG).values(
            entry_id=_last_entry(db) + 1,
            happened=when or datetime.now(UTC),
            what=what,
            reader_id=reader_id,
            facts=finite(facts),
        )
    )


def add_import(db: Connection, file: str, reading_ids: Iterable[int]) -> int:
    """Record an import of these readings, which have consecutive numbers.

    Returns:
        The number of the import.
    """
    ids = list(reading_ids)
    done = select(func.count()).where(STUDY_LOG.c.what == StudyEvent.IMPORTED)
    number = (db.scalar(done) or 0) + 1
    facts = {"number": number, "file": file, "first": ids[0], "last": ids[-1]}
    add_entry(db, StudyEvent.IMPORTED, facts | {"readings": len(ids)})
    return number


def _last_entry(db: Connection) -> int:
    return db.scalar(select(func.coalesce(func.max(STUDY_LOG.c.entry_id), 0))) or 0


def _shown_opinion(db: Connection) -> dict[int, datetime]:
    shown = select(STUDY_LOG.c.reader_id, STUDY_LOG.c.happened)
    rows = db.execute(shown.where(STUDY_LOG.c.what == StudyEvent.OPINION_SHOWN))
    return {row.reader_id: row.happened for row in rows}


def _when_closed(db: Connection) -> datetime | None:
    return db.scalar(select(EVENT.c.happened).where(EVENT.c.what == BLIND_ROUND_CLOSED))


def _row_of(db: Connection, reader_id: int) -> Any:
    row = db.execute(select(READER).where(READER.c.reader_id == reader_id)).one_or_none()
    if row is None:
        raise UsageError(f"the study has no reader {reader_id}")
    return row


def _name_of(db: Connection, reader_id: int) -> str:
    return str(_row_of(db, reader_id).name)
