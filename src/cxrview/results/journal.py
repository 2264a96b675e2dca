"""Records finished work in SQLite beside the result, from which an interrupted run resumes.

The final table is made from the journal, in the order in which the files were found, so
that it does not depend on which file was read first or how often the run was stopped.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.records.classification import Failure, Prediction
from cxrview.results.columns import Row, failure_row, prediction_row
from cxrview.results.conditions_in_words import differences
from cxrview.results.duplicates import SAME_FILE, SAME_UID, rows_with_duplicates_marked
from cxrview.results.journal_check import check_content, damaged_error
from cxrview.results.journal_errors import is_damaged, journal_refused
from cxrview.sources.paths import path_key

Conditions = dict[str, str]
"""What a result depends on besides the files: model, reader, options; from name to value."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS conditions (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outcome (
    path BLOB PRIMARY KEY,
    ordinal INTEGER NOT NULL,
    failure_code TEXT,
    sop_instance_uid TEXT,
    content_id TEXT,
    row TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS watched (folder BLOB PRIMARY KEY, was_mounted INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (run INTEGER PRIMARY KEY, seconds REAL NOT NULL);
CREATE INDEX IF NOT EXISTS by_ordinal ON outcome (ordinal);
CREATE INDEX IF NOT EXISTS by_uid ON outcome (sop_instance_uid, ordinal);
CREATE INDEX IF NOT EXISTS by_content ON outcome (content_id, ordinal);
CREATE TEMP TABLE found (path BLOB PRIMARY KEY, ordinal INTEGER NOT NULL) WITHOUT ROWID;
"""

TRANSIENT_CODES = ("cannot_open", "timeout", "decoder_crash", "memory")
"""Failures that may be due to the disk or the machine: such a file is read again."""

ANSWER_COUNTS = ("turned", "mirrored", "inverted", "AP", "PA")
"""What is counted of the columns from `projection` on."""

_IS_DONE = f"(failure_code IS NULL OR failure_code NOT IN {TRANSIENT_CODES})"
_FOUND = "SELECT path FROM found"


class Journal:
    """The outcomes of one run, or of several that make one result.

    While it is open, no other process can write to it.

    Args:
        path: the SQLite file; None keeps it in memory and temporary files only.
        conditions: of this run; an existing journal must have been written under the same ones.
        overwrite: delete what an earlier run recorded there.

    Raises:
        UsageError: the journal was written under other conditions, the file is not a journal or
            cannot be created, or another run is writing it.
            CannotWrite: the disk is full or fails; an existing journal is kept.
    """

    def __init__(
        self, path: Path | None, conditions: Conditions, *, overwrite: bool = False
    ) -> None:
        self.path = path
        self.named_again = 0
        """How many paths of this run were duplicates."""
        self.recorded = 0
        """How many outcomes this run has recorded."""
        self.is_new = True
        """Whether this run created it."""
        self._writing = threading.Lock()
        """Needed since a transaction belongs to the connection, not to the thread that began it."""
        self._began = time.monotonic()
        was_there = path is not None and path.exists()
        try:
            try:
                self._begin(conditions, overwrite)
            except sqlite3.DatabaseError as error:
                if not overwrite or not path or not is_damaged(error):
                    raise
                path.unlink()
                self._begin(conditions, overwrite)
        except sqlite3.DatabaseError as error:
            if path and not was_there and _is_empty(path):
                path.unlink()
            raise journal_refused(path, error) from error

    def _begin(self, conditions: Conditions, overwrite: bool) -> None:
        # The thread that iterates over the paths is not the one that records.
        self._db = sqlite3.connect(self.path or "", timeout=1, check_same_thread=False)
        try:
            self._lock()
            self._open(overwrite)
            if not overwrite:
                check_content(self._db)
            self._agree_on(conditions)
        except BaseException as error:  # Ctrl-C too: an open connection would keep the lock
            self._db.close()
            if isinstance(error, UnicodeDecodeError):  # SQLite quotes the damaged text
                raise damaged_error() from error
            raise

    def _lock(self) -> None:
        """Take an exclusive lock."""
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Not WAL: its shared memory fails on network disks, where results are often written.
        self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("BEGIN EXCLUSIVE")
        self._db.commit()
        if self.path and not self.path.exists():  # deleted while we waited for the lock
            raise UsageError(
                f"another run has just ended and removed {self.path}",
                "Check whether its result is complete before running again",
            )

    def _open(self, overwrite: bool) -> None:
        self._db.executescript(_SCHEMA)
        if overwrite:
            with self._db:
                self._db.execute("DELETE FROM outcome")
                self._db.execute("DELETE FROM conditions")
                self._db.execute("DELETE FROM watched")
                self._db.execute("DELETE FROM spent")
        (self._run,) = self._db.execute("SELECT count(*) FROM spent").fetchone()

    def unfinished(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield the paths that are not finished, each once, and note their order.

        A file that failed because of the disk or the machine is not finished. Another thread than
        the one that records may iterate over the paths.
        """
        for ordinal, path in enumerate(paths):
            with self._writing:
                is_to_do = self._note(ordinal, path_key(path))
            if is_to_do:
                yield path

    def _note(self, ordinal: int, key: bytes) -> bool:
        added = self._db.execute("INSERT OR IGNORE INTO found VALUES (?, ?)", (key, ordinal))
        if not added.rowcount:
            self.named_again += 1
            return False
        query = f"SELECT ordinal FROM outcome WHERE path = ? AND {_IS_DONE}"
        if (known := self._db.execute(query, (key,)).fetchone()) is None:
            return True
        if known != (ordinal,):  # writing each known file would make a resume slow
            self._db.execute("UPDATE outcome SET ordinal = ? WHERE path = ?", (ordinal, key))
        return False

    def record(self, outcomes: Iterable[Prediction | Failure]) -> None:
        """Record outcomes in one transaction."""
        written = [_outcome(outcome) for outcome in outcomes]
        with self._writing, self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO outcome "
                "SELECT path, ordinal, ?, ?, ?, ? FROM found WHERE path = ?",
                written,
            )
            self._note_seconds()
        self.recorded += len(written)

    @property
    def seconds_now(self) -> float:
        """Return the seconds since this run began."""
        return time.monotonic() - self._began

    def seconds(self) -> float:
        """Return the seconds of all runs that made this result; those of this run are stored."""
        with self._db:
            self._note_seconds()
        (seconds,) = self._db.execute("SELECT sum(seconds) FROM spent").fetchone()
        return float(seconds)

    def _note_seconds(self) -> None:
        noted = (self._run, self.seconds_now)
        self._db.execute("INSERT OR REPLACE INTO spent VALUES (?, ?)", noted)

    def watched(self) -> dict[str, bool]:
        """Return the folders that must stay readable, and whether each is a mount point."""
        noted = self._db.execute("SELECT folder, was_mounted FROM watched")
        return {os.fsdecode(folder): bool(was_mounted) for folder, was_mounted in noted}

    def watch(self, folders: Mapping[str, bool]) -> None:
        """Store the folders that must stay readable for later runs, in place of earlier ones."""
        with self._writing, self._db:
            self._db.execute("DELETE FROM watched")
            self._db.executemany(
                "INSERT INTO watched VALUES (?, ?)",
                [(os.fsencode(folder), was_mounted) for folder, was_mounted in folders.items()],
            )

    def last_read(self) -> str | None:
        """Return the path of the last row, in the order found."""
        query = "SELECT path FROM outcome WHERE failure_code IS NULL ORDER BY ordinal DESC LIMIT 1"
        found = self._db.execute(query).fetchone()
        return os.fsdecode(found[0]) if found else None

    def adopt_rows(self, rows: Iterable[tuple[bytes, Row]]) -> int:
        """Add the rows of finished results, in this order; return how many were duplicates by path.

        Each comes with the `path_key` of its file. Of two rows for one path the first is kept. The
        marks of duplicate images are made again.
        """
        repeated = 0
        with self._db:
            for ordinal, (key, row) in enumerate(rows, self.next_ordinal):
                codes = (row["warnings"] or "").split(";")
                own = [code for code in codes if code and code not in (SAME_UID, SAME_FILE)]
                added = self._db.execute(
                    "INSERT OR IGNORE INTO outcome VALUES (?, ?, NULL, ?, ?, ?)",
                    (
                        key,
                        ordinal,
                        row["sop_instance_uid"],
                        row["content_id"],
                        json.dumps(row | {"warnings": ";".join(own)}),
                    ),
                )
                repeated += not added.rowcount
        return repeated

    def adopt_failures(self, failures: Iterable[tuple[bytes, Row]]) -> None:
        """Add the failures of finished results, in this order, for paths that have no row.

        Each comes with the `path_key` of its file. Of two failures for one path the later one is
        kept, which is that of the last attempt.
        """
        with self._db:
            self._db.executemany(
                "INSERT INTO outcome VALUES (?, ?, ?, NULL, NULL, ?) ON CONFLICT (path) DO UPDATE "
                "SET failure_code = excluded.failure_code, row = excluded.row "
                "WHERE failure_code IS NOT NULL",
                (
                    (key, ordinal, row["code"], json.dumps(row))
                    for ordinal, (key, row) in enumerate(failures, self.next_ordinal)
                ),
            )

    def rows(self, first: int = 0) -> Iterator[Row]:
        """Rows of all images with an outcome, in the order found, from ordinal `first` on.

        An image that is a copy of an earlier one, by SOP Instance UID or byte for byte, is marked
        as such.
        """
        return rows_with_duplicates_marked(self._db, first)

    def failures(self, first: int = 0) -> Iterator[Row]:
        """Rows of all files that failed, in the order found, from ordinal `first` on."""
        query = (
            "SELECT row FROM outcome WHERE failure_code IS NOT NULL AND ordinal >= ? "
            "ORDER BY ordinal, path"
        )
        return (json.loads(text) for (text,) in self._db.execute(query, (first,)))

    def missing(self) -> Iterator[bytes]:
        """Yield the keys of files that an earlier run has finished and this run did not find."""
        query = f"SELECT path FROM outcome WHERE {_IS_DONE} AND path NOT IN ({_FOUND})"
        return (key for (key,) in self._db.execute(query))

    def has_found(self, key: bytes) -> bool:
        """Whether this run found that path."""
        found = self._db.execute("SELECT 1 FROM found WHERE path = ?", (key,))
        return found.fetchone() is not None

    def has_found_below(self, folder: bytes) -> bool:
        """Whether this run found any file in that folder, at any depth."""
        first, after = folder.rstrip(b"/") + b"/", folder.rstrip(b"/") + b"0"  # 0 follows /
        query = "SELECT 1 FROM found WHERE path > ? AND path < ? LIMIT 1"
        return self._db.execute(query, (first, after)).fetchone() is not None

    def forget_missing(self) -> None:
        """Delete the outcomes of files that an earlier run found and this run did not."""
        with self._db:
            self._db.execute(f"DELETE FROM outcome WHERE path NOT IN ({_FOUND})")

    def counts(self) -> list[tuple[str | None, str | None, str | None, str | None, int]]:
        """Count the files of each (failure code, decision, view, agreement)."""
        query = """
            SELECT failure_code, json_extract(row, '$.decision'), json_extract(row, '$.view'),
                json_extract(row, '$.agreement'), count(*)
            FROM outcome GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        """
        return self._db.execute(query).fetchall()

    def answer_counts(self) -> dict[str, int]:
        """Count the images of each of ANSWER_COUNTS; those without an image are left out."""
        query = """
            SELECT sum(json_extract(row, '$.rotation') > 0), sum(json_extract(row, '$.mirrored')),
                sum(json_extract(row, '$.inverted')), sum(json_extract(row, '$.projection') = 'AP'),
                sum(json_extract(row, '$.projection') = 'PA')
            FROM outcome WHERE failure_code IS NULL
        """
        counts = self._db.execute(query).fetchone()
        return {name: int(n) for name, n in zip(ANSWER_COUNTS, counts, strict=True) if n}

    def count_done(self) -> int:
        """Count the finished files."""
        return count_finished(self._db)

    @property
    def next_ordinal(self) -> int:
        """Return one more than the last ordinal that has an outcome."""
        (last,) = self._db.execute("SELECT max(ordinal) FROM outcome").fetchone()
        return 0 if last is None else int(last) + 1

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM outcome").fetchone()
        return int(count)

    def close(self) -> None:
        """Close the journal, and leave it on the disk."""
        self._db.close()

    def remove(self) -> None:
        """Close and delete the journal, since the result is complete."""
        if (
            self.path
        ):  # deleted before it is closed, so that no other process can lock it in between
            self.path.unlink(missing_ok=True)
        self.close()

    def _agree_on(self, conditions: Conditions) -> None:
        stored = stored_conditions(self._db)
        self.is_new = not stored
        if stored and stored != conditions:
            changed = [
                f"{one.name}: {one.first} then, {one.other} now"
                for one in differences(stored, conditions)
            ]
            raise UsageError(
                f"{self.path} was started with different settings: {'; '.join(changed)}",
                "Resume with the same settings, or start over with --overwrite",
            )
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO conditions VALUES (?, ?)", conditions.items()
            )


def count_finished(journal: sqlite3.Connection) -> int:
    """Count the files of an open journal that are not read again."""
    (count,) = journal.execute(f"SELECT count(*) FROM outcome WHERE {_IS_DONE}").fetchone()
    return int(count)


def stored_conditions(journal: sqlite3.Connection) -> Conditions:
    """Read the conditions of an open journal."""
    return dict(journal.execute("SELECT name, value FROM conditions"))


def _is_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0


def _outcome(
    outcome: Prediction | Failure,
) -> tuple[str | None, str | None, str | None, str, bytes]:
    if isinstance(outcome, Failure):
        return outcome.code, None, None, json.dumps(failure_row(outcome)), path_key(outcome.path)
    instance = outcome.instance
    row = json.dumps(prediction_row(outcome))
    return (
        None,
        instance.sop_instance_uid or None,
        instance.content_id or None,
        row,
        path_key(instance.path),
    )
