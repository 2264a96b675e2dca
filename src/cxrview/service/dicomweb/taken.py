"""Which objects of a peer were taken, so that each is taken once, also after a restart."""

import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cxrview.errors import CannotWrite

_SCHEMA = """
CREATE TABLE IF NOT EXISTS taken (
  uid TEXT PRIMARY KEY, study TEXT NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS taken_study ON taken (study);
CREATE INDEX IF NOT EXISTS taken_at ON taken (at);
"""


class TakenObjects:
    """SOP Instance UIDs that were taken from one peer, in a file of SQLite.

    Losing it costs no image: objects are taken again, and the store recognises them.

    Args:
        path: of the file; it is created.

    Raises:
        CannotWrite: the disk is full or fails.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        with self._raising():
            self._database = sqlite3.connect(path, check_same_thread=False)
            self._database.executescript("PRAGMA journal_mode = WAL;" + _SCHEMA)

    @classmethod
    def of_peer(cls, folder: Path, name: str) -> "TakenObjects":
        """Open the file of a peer.

        Args:
            folder: of the queue.
            name: of the peer in the configuration, which may hold any character.
        """
        return cls(folder / f"taken-{hashlib.sha256(name.encode()).hexdigest()[:16]}.sqlite")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def add(self, uid: str, study: str, at: float) -> None:
        """Note that an object was taken.

        Args:
            uid: SOP Instance UID.
            study: Study Instance UID.
            at: when, in seconds since 1970.

        Raises:
            CannotWrite: the disk is full or fails.
        """
        with self._lock, self._raising(), self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO taken VALUES (?, ?, ?)", (uid, study, at)
            )

    def without_taken(self, uids: Sequence[str], study: str) -> list[str]:
        """Those that were not taken yet, in their order."""
        taken = set(self._of_study(study))
        return [uid for uid in uids if uid not in taken]

    def forget(self, before: float, studies: Iterable[str]) -> None:
        """Remove entries that are older, unless their study is still looked at.

        Raises:
            CannotWrite: the disk is full or fails.
        """
        kept = set(studies)
        with self._lock, self._raising(), self._database:
            old = self._database.execute(
                "SELECT DISTINCT study FROM taken WHERE at < ?", (before,)
            ).fetchall()
            self._database.executemany(
                "DELETE FROM taken WHERE study = ?", [one for one in old if one[0] not in kept]
            )

    def _of_study(self, study: str) -> list[str]:
        with self._lock, self._raising():
            found = self._database.execute("SELECT uid FROM taken WHERE study = ?", (study,))
            return [uid for (uid,) in found]

    @contextmanager
    def _raising(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise CannotWrite(f"{self._path} cannot be written: {error}", "Free space") from error
