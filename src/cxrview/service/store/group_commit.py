"""Changes of the ledger share commits: one thread carries out all that wait in one transaction.

A commit waits for the disk, which takes most of its time. While one is on its way to the disk,
other threads hand in their changes, and the next commit takes all of them. A single change is
carried out at once.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from cxrview.service.store.ledger import Ledger
from cxrview.service.store.schema import transaction

T = TypeVar("T")


def _nothing(_: Any) -> None:
    """Leave everything as it is."""


@dataclass(slots=True, eq=False)
class _Change(Generic[T]):
    """A change that was handed in."""

    apply: Callable[[Ledger], T]
    undo: Callable[[T], None]
    after: Callable[[T], None]
    future: "Future[T]" = field(default_factory=Future)
    result: T | None = None
    error: Exception | None = None
    is_applied: bool = False


class GroupCommit:
    """Carries out changes of a ledger, in the order in which they were handed in.

    Its methods may be called from any thread.

    Args:
        ledger: for the changes; nothing else may use it. `close` closes it.
        before_commit: called before each commit, and has to put on the disk what the changes wrote
            elsewhere. If it raises, the changes are rolled back.
        explained: replaces an error by the one that callers are to get.
    """

    def __init__(
        self,
        ledger: Ledger,
        before_commit: Callable[[], None],
        explained: Callable[[Exception], Exception],
    ) -> None:
        self._ledger, self._before_commit, self._explained = ledger, before_commit, explained
        self._handed_in = threading.Condition()
        self._waiting: list[_Change[Any]] = []
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def submit(
        self,
        apply: Callable[[Ledger], T],
        *,
        undo: Callable[[T], None] = _nothing,
        after: Callable[[T], None] = _nothing,
    ) -> "Future[T]":
        """Hand in a change.

        All three functions are called in the thread of the commits, and must not wait for a change.

        Args:
            apply: makes the change; what it executes is in a transaction. An error undoes what it
                executed, and no other change.
            undo: called with what `apply` returned if the commit failed.
            after: called with what `apply` returned once it is on the disk, before any later
                change.

        Returns:
            What `apply` returned, once the change is on the disk.
        """
        change = _Change(apply, undo, after)
        with self._handed_in:
            if self._is_closed:
                closed = sqlite3.ProgrammingError("it is closed")
                change.future.set_exception(self._explained(closed))
                return change.future
            if not self._thread.is_alive():  # the first one
                self._thread.start()
            self._waiting.append(change)
            self._handed_in.notify()
        return change.future

    def close(self) -> None:
        """Carry out what was handed in, and close the ledger; it may be repeated."""
        with self._handed_in:
            self._is_closed = True
            self._handed_in.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._ledger.close()

    def _run(self) -> None:
        while changes := self._next_changes():
            self._commit(changes)

    def _next_changes(self) -> list[_Change[Any]]:
        """All changes that wait; none once it is closed."""
        with self._handed_in:
            self._handed_in.wait_for(lambda: self._waiting or self._is_closed)
            changes, self._waiting = self._waiting, []
            return changes

    def _commit(self, changes: Sequence[_Change[Any]]) -> None:
        try:
            with transaction(self._ledger.connection):
                for change in changes:
                    self._apply(change)
                self._before_commit()
        except Exception as error:  # raised to all callers: this thread must not end
            for change in changes:
                change.error = change.error or error
                self._end(change, change.undo)
        else:
            for change in changes:
                self._end(change, change.after)
        for change in changes:
            if change.error:
                change.future.set_exception(self._explained(change.error))
            else:
                change.future.set_result(change.result)

    def _end(self, change: _Change[Any], end: Callable[[Any], None]) -> None:
        if not change.is_applied:
            return
        try:
            end(change.result)
        except Exception as error:  # raised to the caller; the thread continues with other changes
            change.error = change.error or error

    def _apply(self, change: _Change[Any]) -> None:
        connection = self._ledger.connection
        connection.execute("SAVEPOINT change")
        try:
            change.result = change.apply(self._ledger)
            change.is_applied = True
        except Exception as error:  # raised to the caller, unless it ended the transaction
            change.error = error
            if not connection.in_transaction:  # SQLite ended it, for all, as on a full disk
                raise
            connection.execute("ROLLBACK TO change")
        connection.execute("RELEASE change")
