"""The study log: imports, changes of readers, reveals and the closing of the blind round.

The log is append-only, like the readings: undoing something is one more entry, and readings that no
longer count are not deleted.
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
from cxrview.records import ImportedFile, LogEntry
from cxrview.terms import ReadingRound, StudyEvent

LATE_SECONDS = 30 * 60
"""For so long after the closing the server takes what was read before it and waited in a browser,
unless the closing says otherwise; ours."""
ONLY_GROW = frozenset({READING.name, EVENT.name, STUDY_LOG.name})
"""Tables of which no row is ever changed or deleted."""
BLIND_ROUND_CLOSED = "blind round closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """Readings that no longer count."""

    ranges: tuple[tuple[int, int], ...] = ()
    """First and last number of each import that was undone."""
    reader_ids: frozenset[int] = frozenset()

    def holds(self, reading_id: int, reader_id: int) -> bool:
        """Whether it is one of them."""
        return reader_id in self.reader_ids or any(a <= reading_id <= b for a, b in self.ranges)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reveal:
    """A reader has been shown what the model or other readers say of an image."""

    reader_id: int
    image_id: str | None
    """None where it was every image that the study had then."""
    images: int
    """How many images, in the study's order, are revealed where `image_id` is None; else 1."""
    happened: datetime


class StudyLog(Logins):
    """The log of one study, and what changes by it."""

    def log(self, after: int = 0) -> tuple[LogEntry, ...]:
        """Every entry written after the one of that number, in order."""
        wanted = select(STUDY_LOG).where(STUDY_LOG.c.entry_id > after)
        with self._database.reading() as db:
            rows = db.execute(wanted.order_by(STUDY_LOG.c.entry_id)).all()
        return tuple(
            LogEntry(**{**row._asdict(), "what": StudyEvent(row.what), "facts": dict(row.facts)})
            for row in rows
        )

    def last_entry(self) -> int:
        """Number of the last entry; 0 where there is none."""
        with self._database.reading() as db:
            return _last_entry(db)

    def imports(self) -> tuple[ImportedFile, ...]:
        """Every import, undone ones too, in order."""
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
            UsageError: the import does not exist, or has been undone.
        """
        with self._database.writing() as db:
            known = {one.number: one for one in self.imports()}
            if number not in known:
                raise UsageError(
                    f"the study has no import {number}", "See cxrview annotate imports STUDY"
                )
            if when := known[number].undone:
                raise UsageError(f"import {number} was undone already, {when:%Y-%m-%d %H:%M} UTC")
            add_entry(db, StudyEvent.IMPORT_UNDONE, {"number": number})
        return known[number]

    def rename_reader(self, reader_id: int, name: str) -> None:
        """Give a reader another name; the readings stay the reader's.

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
        """Names that readers had before they were renamed, each to the name now."""
        now = {reader.reader_id: reader.name for reader in self.readers()}
        renamed = (e for e in self.log() if e.what is StudyEvent.READER_RENAMED)
        former = {e.facts["old"]: now[e.reader_id] for e in renamed if e.reader_id in now}
        return {old: new for old, new in former.items() if old not in now.values()}

    def retire_reader(self, reader_id: int, *, withdraw: bool = False) -> None:
        """Retire a reader; with `withdraw` none of their readings counts.

        All logins of the reader end, and neither link nor password works.

        Raises:
            UsageError: no reader has that id, or it was done already.
        """
        now = datetime.now(UTC)
        with self._database.writing() as db:
            row = _row_of(db, reader_id)
            if row.retired and not (withdraw and not row.withdrawn):
                raise UsageError(f"{row.name} is retired already")
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
        """Write down that a reader has been shown what others say of an image; once is enough."""
        with self._database.writing() as db:
            if reader_id not in _shown_opinion(db):
                add_entry(db, StudyEvent.OPINION_SHOWN, {}, reader_id, when)

    def readers_shown_opinion(self) -> dict[int, datetime]:
        """By reader id, when what the model or others say was shown to them first."""
        with self._database.reading() as db:
            return _shown_opinion(db)

    def record_reveals(
        self, reader_id: int, image_ids: Iterable[str], shown_in: ReadingRound, when: datetime
    ) -> None:
        """Record that a reader is about to see what others say of these images.

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
        """Record that a reader is about to see what others say of the first `images` images."""
        with self._database.writing() as db:
            facts = {"image_id": None, "images": images}
            add_entry(db, StudyEvent.IMAGE_REVEALED, facts, reader_id, when)

    def reveals(self, after: int = 0) -> tuple[Reveal, ...]:
        """Return what was revealed to readers by entries with a number above `after`, in order."""
        found = (e for e in self.log(after) if e.what is StudyEvent.IMAGE_REVEALED)
        return tuple(reveal for entry in found if (reveal := reveal_of(entry)))

    def late_limit(self) -> timedelta:
        """How long after its closing the blind round takes what was read before."""
        for entry in self.log():
            if entry.what is StudyEvent.BLIND_ROUND_CLOSED:
                return timedelta(seconds=entry.facts["late_seconds"])
        return timedelta(seconds=LATE_SECONDS)

    def close_blind_round(
        self, when: datetime, *, late_seconds: float = LATE_SECONDS, left: int | None = None
    ) -> None:
        """Close it for good; the first time counts.

        Args:
            when: now.
            late_seconds: for how long what was read before is still taken when it arrives late.
            left: readings that were not made yet, for the log; None if they were not counted.
        """
        with self._database.writing() as db:
            if _when_closed(db) is None:
                db.execute(insert(EVENT).values(what=BLIND_ROUND_CLOSED, happened=when))
                facts = {"late_seconds": late_seconds, "left": left}
                add_entry(db, StudyEvent.BLIND_ROUND_CLOSED, facts, None, when)

    def blind_round_closed(self) -> datetime | None:
        """When it was closed; None while it is open."""
        with self._database.reading() as db:
            return _when_closed(db)

    def take_serving_lock(self, study_id: str) -> ServingLock:
        """Be the one server of the study; `take_serving_lock` of `serving_lock`."""
        return take_serving_lock(self._database.where, study_id, self._database)

    def unguarded_tables(self) -> set[str]:
        """Tables that only grow of which the database does not see to it any more."""
        return set(ONLY_GROW - self._database.guarded_tables())

    def withdrawn(self) -> Withdrawn:
        """Which readings no longer count."""
        undone = ((one.first, one.last) for one in self.imports() if one.undone)
        with self._database.reading() as db:
            gone = db.scalars(select(READER.c.reader_id).where(READER.c.withdrawn.is_not(None)))
            return Withdrawn(ranges=tuple(undone), reader_ids=frozenset(gone))


def reveal_of(entry: LogEntry) -> Reveal | None:
    """Read an entry of the log as a reveal; None where it is another event."""
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
    """Write an entry, under the study's lock."""
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
    """Write down that these readings, which follow one another, came by one import.

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
