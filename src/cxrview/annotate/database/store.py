"""`ReadingStore`: an annotation study in SQLite or PostgreSQL; readings are append-only."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, insert, select

from cxrview.annotate.database.connect import Database, is_url, opening_errors
from cxrview.annotate.database.rows import (
    as_stored,
    image_row,
    reading_row,
    row_image,
    row_reading,
    row_study,
    study_row,
)
from cxrview.annotate.database.schema import IMAGE, READER, READING, STUDY
from cxrview.annotate.database.study_log import StudyLog, add_import
from cxrview.errors import UsageError
from cxrview.records.annotation import AnnotationStudy, Reading, StudyImage
from cxrview.terms import Action

_PAGE = 5000
"""Number of rows fetched at a time, so that reading a large study does not block a writer."""
_ASKED_AT_ONCE = 500
"""Number of values in one query; SQLite takes 32,766, old versions 999."""


def create_readings(where: str, study: AnnotationStudy) -> "ReadingStore":
    """Create a study without images and readers.

    Args:
        where: a new file, which only its owner will be able to read; or
            `postgresql+psycopg://user@host/database`, a database without a study.
            study: the settings.

    Raises:
        UsageError: a study exists there, or cannot be created there.
    """
    if not is_url(where):
        _make_file(Path(where))
    try:
        with _opened(where) as database:
            database.migrate(from_nothing=True)
            with database.writing() as db:
                db.execute(insert(STUDY).values(**study_row(study)))
            return ReadingStore(database)
    except BaseException:  # also Ctrl-C: an incomplete study would block the next attempt
        if not is_url(where):
            Path(where).unlink()
        raise


def open_readings(where: str) -> "ReadingStore":
    """Open a study, and migrate it if an older version of cxrview wrote it.

    Raises:
        UsageError: the study does not exist, was written by a newer version of cxrview, or cannot
        be opened.
    """
    if not is_url(where) and not Path(where).is_file():
        raise UsageError(f"study {where} does not exist", "Create it with cxrview annotate create")
    with _opened(where) as database:
        database.migrate()
        return ReadingStore(database)


class ReadingStore(StudyLog):
    """One open study. Its methods may be called from any thread; several processes may write.

    Attributes:
        study: the settings.
    """

    study: AnnotationStudy

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        with database.reading() as db:
            row = db.execute(select(STUDY)).one_or_none()
        if row is None:
            raise UsageError(f"{database.name} holds an incomplete study: its creation was stopped")
        self.study = row_study(row)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def images(self) -> tuple[StudyImage, ...]:
        """Return all images, in the order in which they were added."""
        with self._database.reading() as db:
            return tuple(map(row_image, db.execute(select(IMAGE).order_by(IMAGE.c.ordinal))))

    def count_images(self) -> int:
        """Count the images, faster than by `images`."""
        with self._database.reading() as db:
            return db.scalar(select(func.count()).select_from(IMAGE)) or 0

    def add_images(self, images: Iterable[StudyImage]) -> int:
        """Add images whose path is new to the study: all of them or, after an error, none.

        Returns:
            The number of images added.
        """
        new = {image.path: image for image in reversed(tuple(images))}  # of duplicates, the first
        with self._database.writing() as db:
            there = set(db.scalars(select(IMAGE.c.path)))
            last = db.scalar(select(func.coalesce(func.max(IMAGE.c.ordinal), 0))) or 0
            added = [image for path, image in reversed(new.items()) if path not in there]
            rows = [image_row(image, n) for n, image in enumerate(added, start=last + 1)]
            if rows:
                db.execute(insert(IMAGE), rows)
        return len(rows)

    def add_readings(
        self, readings: Iterable[Reading], *, imported_from: str | None = None
    ) -> tuple[Reading, ...]:
        """Append readings whose uid is new; they are on the disk when this returns.

        Args:
            readings: in order.
            imported_from: name of the file of an import, which is then numbered so that it can be
                undone; None for readings made in cxrview.

        Returns:
            The appended readings, with `reading_id` and `received`.

        Raises:
            ValueError: the image, reader or label of a reading is not in the study; then none is
                appended.
        """
        new: dict[str, Reading] = {}
        for reading in readings:
            new.setdefault(reading.uid, reading)
        if not new:
            return ()
        with self._database.writing() as db:
            self._check(db, new.values())
            for uids in _in_parts(new):
                for uid in db.scalars(select(READING.c.uid).where(READING.c.uid.in_(uids))):
                    del new[uid]
            last = db.scalar(select(func.coalesce(func.max(READING.c.reading_id), 0))) or 0
            received = datetime.now(UTC)
            written = tuple(
                as_stored(reading, n, received)
                for n, reading in enumerate(new.values(), start=last + 1)
            )
            if written:
                db.execute(insert(READING), [reading_row(reading) for reading in written])
            if written and imported_from is not None:
                add_import(db, imported_from, [reading.reading_id for reading in written])
        return written

    def known_uids(self, uids: Iterable[str]) -> dict[str, Reading]:
        """Return the readings with one of these uids, including withdrawn ones."""
        known: dict[str, Reading] = {}
        with self._database.reading() as db:
            for part in _in_parts(dict.fromkeys(uids)):
                for row in db.execute(select(READING).where(READING.c.uid.in_(part))):
                    known[row.uid] = row_reading(row)
        return known

    def readings(self, after: int = 0) -> Iterator[Reading]:
        """Yield all readings that count and have a number above `after`, in order.

        Readings of an undone import, and of a withdrawn reader, do not count.
        """
        withdrawn = self.withdrawn()
        for reading in self.every_reading(after):
            if not withdrawn.holds(reading.reading_id, reading.reader_id):
                yield reading

    def every_reading(self, after: int = 0) -> Iterator[Reading]:
        """Yield all readings with a number above `after`, whether they count or not."""
        while True:
            page = select(READING).where(READING.c.reading_id > after)
            with self._database.reading() as db:
                rows = db.execute(page.order_by(READING.c.reading_id).limit(_PAGE)).all()
            yield from map(row_reading, rows)
            if len(rows) < _PAGE:
                return
            after = rows[-1].reading_id

    def _check(self, db: Connection, readings: Iterable[Reading]) -> None:
        labels = {choice.name for choice in self.study.choices}
        if any(r.act is Action.LABEL and r.label not in labels for r in readings):
            raise ValueError("a reading has a label that is not in the study")
        readers = {reading.reader_id for reading in readings}
        if not readers <= set(db.scalars(select(READER.c.reader_id))):
            raise ValueError("a reading is by a reader who is not in the study")
        for ids in _in_parts({reading.image_id for reading in readings}):
            found = select(func.count()).select_from(IMAGE).where(IMAGE.c.image_id.in_(ids))
            if db.scalar(found) != len(ids):
                raise ValueError("a reading is of an image that is not in the study")


def _in_parts(names: Iterable[str]) -> Iterator[list[str]]:
    every = list(names)
    for start in range(0, len(every), _ASKED_AT_ONCE):
        yield every[start : start + _ASKED_AT_ONCE]


@contextmanager
def _opened(where: str) -> Iterator[Database]:
    """Open a database, and close it only if the block fails."""
    database = Database(where)
    try:
        with opening_errors(database.name):
            yield database
    except BaseException:  # also Ctrl-C
        database.close()
        raise


def _make_file(path: Path) -> None:
    """Create a database file that only its owner can read; SQLite copies the mode to side files."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with closing(sqlite3.connect(path)) as database:  # set once; it is stored in the file
            database.execute("PRAGMA journal_mode = WAL")
    except FileExistsError as error:
        raise UsageError(f"the file {path} already exists", "Choose another name") from error
    except OSError as error:
        raise UsageError(f"the study {path} cannot be created: {error.strerror}") from error
