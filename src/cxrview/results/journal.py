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
from contextlib import closing
from pathlib import Path

from cxrview.errors import UsageError
from cxrview.records import Failure, Prediction
from cxrview.results.columns import Row, failure_row, prediction_row
from cxrview.results.conditions_in_words import differences
from cxrview.results.journal_errors import is_damaged, journal_refused
from cxrview.sources.paths import path_key

Conditions = dict[str, str]
"""What a result depends on besides the files: model, reader, options. Name to value."""

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

IN_PASSING = ("cannot_open", "timeout", "decoder_crash", "memory")
"""Failures that may be due to the disk or the machine: such a file is read again."""

_IS_DONE = f"(failure_code IS NULL OR failure_code NOT IN {IN_PASSING})"
_FOUND = "SELECT path FROM found"

SAME_UID, SAME_FILE = "duplicate_sop_instance_uid", "duplicate_file"
"""Warnings of an image that came before."""

_REPEATS = """
SELECT row,
    sop_instance_uid IS NOT NULL AND EXISTS (
        SELECT 1 FROM outcome AS e
        WHERE e.sop_instance_uid = o.sop_instance_uid AND e.ordinal < o.ordinal),
    content_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM outcome AS e
        WHERE e.content_id = o.content_id AND e.ordinal < o.ordinal)
FROM outcome AS o WHERE failure_code IS NULL AND ordinal >= ? ORDER BY ordinal, path
"""


class Journal:
    """The outcomes of one run, or of several that make one result.

    While it is open, no other process can write to it.

    Args:
        path: the SQLite file; None for one that lives in memory and temporary files only.
        conditions: of this run; an existing journal must have been written under the same.
        overwrite: delete what an earlier run recorded there.

    Raises:
        UsageError: the journal was written under other conditions, is no journal, cannot be
            made there, or another run is writing it.
        CannotWrite: the disk is full or fails; a journal that was there is kept.
    """

    def __init__(
        self, path: Path | None, conditions: Conditions, *, overwrite: bool = False
    ) -> None:
        self.path = path
        self.named_again = 0
        """How often a path was named again in this run."""
        self.recorded = 0
        """How many outcomes this run has recorded."""
        self.is_new = True
        """No run has begun it before this one."""
        self._writing = threading.Lock()
        """A transaction is of the connection and not of the thread that began it."""
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
        # Paths are taken in another thread than the one that records.
        self._db = sqlite3.connect(self.path or "", timeout=1, check_same_thread=False)
        try:
            self._lock()
            self._open(overwrite)
            self._agree_on(conditions)
        except BaseException:  # Ctrl-C too: an open connection would keep the lock
            self._db.close()
            raise

    def _lock(self) -> None:
        """Take an exclusive lock."""
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        # Not WAL: its shared memory fails on network disks, where results often lie.
        self._db.execute("PRAGMA journal_mode = DELETE")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("BEGIN EXCLUSIVE")
        self._db.commit()
        if self.path and not self.path.exists():  # while we waited for the lock
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

    def still_to_do(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield the paths that are not finished, each once, and note their order.

        A file that failed because of the disk or the machine is not finished. The paths may be
        taken by another thread than the one that records.
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
        if known != (ordinal,):  # a write for each known file would make resuming slow
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
        """How long this run has lasted."""
        return time.monotonic() - self._began

    def seconds(self) -> float:
        """How long all runs have lasted that make this result; this one is noted for good."""
        with self._db:
            self._note_seconds()
        (seconds,) = self._db.execute("SELECT sum(seconds) FROM spent").fetchone()
        return float(seconds)

    def _note_seconds(self) -> None:
        noted = (self._run, self.seconds_now)
        self._db.execute("INSERT OR REPLACE INTO spent VALUES (?, ?)", noted)

    def watched(self) -> dict[str, bool]:
        """Folders that must stay within reach, and whether each was where a disk is mounted."""
        noted = self._db.execute("SELECT folder, was_mounted FROM watched")
        return {os.fsdecode(folder): bool(was_mounted) for folder, was_mounted in noted}

    def watch(self, folders: Mapping[str, bool]) -> None:
        """Note such folders for the runs to come, in place of those noted before."""
        with self._writing, self._db:
            self._db.execute("DELETE FROM watched")
            self._db.executemany(
                "INSERT INTO watched VALUES (?, ?)",
                [(os.fsencode(folder), was_mounted) for folder, was_mounted in folders.items()],
            )

    def last_read(self) -> str | None:
        """The last file, in the order found, that gave a row."""
        query = "SELECT path FROM outcome WHERE failure_code IS NULL ORDER BY ordinal DESC LIMIT 1"
        found = self._db.execute(query).fetchone()
        return os.fsdecode(found[0]) if found else None

    def adopt_rows(self, rows: Iterable[Row]) -> int:
        """Keep rows of finished results, in this order; how many there were of paths held already.

        Of two rows for one path the first is kept. Which images came before is determined again.
        """
        repeated = 0
        with self._db:
            for ordinal, row in enumerate(rows, self.next_ordinal):
                codes = (row["warnings"] or "").split(";")
                own = [code for code in codes if code and code not in (SAME_UID, SAME_FILE)]
                added = self._db.execute(
                    "INSERT OR IGNORE INTO outcome VALUES (?, ?, NULL, ?, ?, ?)",
                    (
                        path_key(row["path"]),
                        ordinal,
                        row["sop_instance_uid"],
                        row["content_id"],
                        json.dumps(row | {"warnings": ";".join(own)}),
                    ),
                )
                repeated += not added.rowcount
        return repeated

    def adopt_failures(self, failures: Iterable[Row]) -> None:
        """Keep failures of finished results, in this order, for paths that have no row.

        Of two failures for one path the later is kept: it is of the last attempt.
        """
        with self._db:
            self._db.executemany(
                "INSERT INTO outcome VALUES (?, ?, ?, NULL, NULL, ?) ON CONFLICT (path) DO UPDATE "
                "SET failure_code = excluded.failure_code, row = excluded.row "
                "WHERE failure_code IS NOT NULL",
                (
                    (path_key(row["path"]), ordinal, row["code"], json.dumps(row))
                    for ordinal, row in enumerate(failures, self.next_ordinal)
                ),
            )

    def rows(self, first: int = 0) -> Iterator[Row]:
        """Rows of all images with an outcome, in the order found, from ordinal `first` on.

        An image that came before, by SOP Instance UID or byte for byte, is marked as such
        from its second row on.
        """
        for text, is_uid_known, is_content_known in self._db.execute(_REPEATS, (first,)):
            row = json.loads(text)
            codes = [row["warnings"]] if row["warnings"] else []
            if is_uid_known:
                codes.append(SAME_UID)
            if is_content_known:
                codes.append(SAME_FILE)
            yield row | {"warnings": ";".join(codes) or None}

    def failures(self, first: int = 0) -> Iterator[Row]:
        """Rows of all files that failed, in the order found, from ordinal `first` on."""
        query = (
            "SELECT row FROM outcome WHERE failure_code IS NOT NULL AND ordinal >= ? "
            "ORDER BY ordinal, path"
        )
        return (json.loads(text) for (text,) in self._db.execute(query, (first,)))

    def gone(self) -> Iterator[bytes]:
        """Keys of files that an earlier run has finished and this one did not find."""
        query = f"SELECT path FROM outcome WHERE {_IS_DONE} AND path NOT IN ({_FOUND})"
        return (key for (key,) in self._db.execute(query))

    def has_found(self, key: bytes) -> bool:
        """Whether this run came upon that path."""
        found = self._db.execute("SELECT 1 FROM found WHERE path = ?", (key,))
        return found.fetchone() is not None

    def has_found_below(self, folder: bytes) -> bool:
        """Whether this run came upon any file in that folder, at any depth."""
        first, after = folder.rstrip(b"/") + b"/", folder.rstrip(b"/") + b"0"  # 0 follows /
        query = "SELECT 1 FROM found WHERE path > ? AND path < ? LIMIT 1"
        return self._db.execute(query, (first, after)).fetchone() is not None

    def forget_what_is_gone(self) -> None:
        """Delete outcomes of files that an earlier run found and this one did not."""
        with self._db:
            self._db.execute(f"DELETE FROM outcome WHERE path NOT IN ({_FOUND})")

    def counts(self) -> list[tuple[str | None, str | None, str | None, str | None, int]]:
        """How many files there are of each (failure code, decision, view, agreement)."""
        query = """
            SELECT failure_code, json_extract(row, '$.decision'), json_extract(row, '$.view'),
                json_extract(row, '$.agreement'), count(*)
            FROM outcome GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        """
        return self._db.execute(query).fetchall()

    def count_done(self) -> int:
        """How many files are finished."""
        return _count_done(self._db)

    @property
    def next_ordinal(self) -> int:
        """One more than the last ordinal that has an outcome."""
        (last,) = self._db.execute("SELECT max(ordinal) FROM outcome").fetchone()
        return 0 if last is None else int(last) + 1

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM outcome").fetchone()
        return int(count)

    def close(self) -> None:
        """Close it, and leave it on the disk."""
        self._db.close()

    def remove(self) -> None:
        """Close and delete it: the result is complete."""
        if (
            self.path
        ):  # first, so that no other process gets the lock of a journal that is being deleted
            self.path.unlink(missing_ok=True)
        self.close()

    def _agree_on(self, conditions: Conditions) -> None:
        stored = dict(self._db.execute("SELECT name, value FROM conditions"))
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


def _count_done(journal: sqlite3.Connection) -> int:
    (count,) = journal.execute(f"SELECT count(*) FROM outcome WHERE {_IS_DONE}").fetchone()
    return int(count)


def count_recorded(path: Path) -> int:
    """How many files a journal on the disk is done with; 0 where there is none to be read, or
    a run is writing it."""
    if not path.is_file():
        return 0
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=0)) as journal:
            return _count_done(journal)
    except sqlite3.DatabaseError:
        return 0


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
