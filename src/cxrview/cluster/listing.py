"""`Lister`: a thread that finds the files of a job and cuts them into blocks."""

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from cxrview.classify.selection import Selected
from cxrview.cluster.blocks import Blocks, Listing, block_size
from cxrview.results.journal_errors import temporary_files_failed
from cxrview.sources.paths import path_key


class Lister(threading.Thread):
    """Writes the blocks of a job, as fast as its files are found, and names them one by one.

    Memory does not grow with the number of files: paths are kept in the blocks and, where a path
    may come twice, in SQLite's temporary files.

    Args:
        blocks: of the job, where an earlier run may have begun the listing.
        selected: the files to list, from `Inputs.find`.
        is_unique: no path comes twice.
        need_session: raises `OtherSession` once another run has taken the job over; called before
            each write.
        check_mounts: raises an error if a folder that held files is empty or unmounted; called
            before the listing counts as complete.

    Attributes:
        new: numbers of blocks, in order; None after the last one.
        error: what ended the listing before its end.
        found: what was found, when the listing is complete.
        ended: set after the last block, or an error.
    """

    def __init__(
        self,
        blocks: Blocks,
        selected: Selected,
        *,
        is_unique: bool,
        need_session: Callable[[], None],
        check_mounts: Callable[[], None],
    ) -> None:
        super().__init__(name="lister", daemon=True)
        self._blocks, self._selected, self._is_unique = blocks, selected, is_unique
        self._need_session, self._check_mounts = need_session, check_mounts
        self._listed, self._is_stopping = 0, False
        self.new: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self.error: Exception | None = None
        self.found: Listing | None = None
        self.ended = threading.Event()

    def run(self) -> None:
        """List all files, from where an earlier run was stopped."""
        try:
            self.found = self._listed_before() or self._list()
        except sqlite3.OperationalError as error:  # of `_Seen`, which is all in temporary files
            self.error = temporary_files_failed("the files cannot be listed", error)
            self.error.__cause__ = error
        except Exception as error:  # raised in the thread of the run
            self.error = error
        finally:
            self.new.put(None)
            self.ended.set()

    def stop(self) -> None:
        """List no more files; the blocks so far are kept."""
        self._is_stopping = True
        self._selected.end()

    def count(self) -> int | None:
        """Wait for the end of the listing; return the number of files, None after an error."""
        self.ended.wait()
        return None if self.found is None else self.found.files

    def _listed_before(self) -> Listing | None:
        found = self._blocks.read_end()
        for number in range(found.blocks if found else 0):
            self.new.put(number)
        return found

    def _list(self) -> Listing | None:
        number = self._blocks.count()
        seen = _Seen() if number or not self._is_unique else None
        for paths in self._blocks.read_first(number):
            self._listed += len(paths)
            assert seen
            seen.add_listed(paths)
        for earlier in range(number):
            self.new.put(earlier)
        to_list = iter(self._selected if seen is None else seen.new(self._selected))
        while paths := list(islice(to_list, block_size(self._listed))):
            if self._is_stopping:
                return None  # the files of this block are found again
            self._need_session()
            self._blocks.write(number, paths)
            self._listed += len(paths)
            self.new.put(number)
            number += 1
        if self._is_stopping:
            return None
        found = Listing(
            blocks=number,
            files=self._listed,
            known=self._selected.known,
            named_again=0 if seen is None else seen.named_again,
        )
        self._check_mounts()
        self._need_session()
        self._blocks.write_end(found)
        return found


class _Seen:
    """The paths that were listed, in SQLite's temporary files."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("")
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute(
            "CREATE TABLE seen (path BLOB PRIMARY KEY, is_found INTEGER NOT NULL) WITHOUT ROWID"
        )
        self.named_again = 0

    def add_listed(self, paths: Iterable[str]) -> None:
        """Add the paths of a block of an earlier run, which will be found again."""
        self._db.executemany(
            "INSERT OR IGNORE INTO seen VALUES (?, 0)", ((path_key(path),) for path in paths)
        )

    def new(self, paths: Iterable[str]) -> Iterator[str]:
        """Yield the paths that were not seen, and count those that come twice."""
        for path in paths:
            key = (path_key(path),)
            if self._db.execute("INSERT OR IGNORE INTO seen VALUES (?, 1)", key).rowcount:
                yield path
            elif not self._db.execute(
                "UPDATE seen SET is_found = 1 WHERE path = ? AND NOT is_found", key
            ).rowcount:
                self.named_again += 1
