"""A run over an archive, from paths to a result, that can be stopped at any point and resumed."""

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from cxrview.classify.engine import iter_outcomes
from cxrview.classify.missing_files import MountWatch, check_missing_files
from cxrview.classify.model import Model
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.selection import Selected, Selection
from cxrview.errors import (
    CannotSortFolder,
    CannotWrite,
    InferenceError,
    InputUnavailable,
    RunStopped,
    UsageError,
    WorkerStartError,
)
from cxrview.records.classification import Outcome
from cxrview.results.journal import Conditions, Journal
from cxrview.results.journal_errors import is_damaged, reason_with_folder
from cxrview.results.result import Result
from cxrview.results.sink import ResultSink
from cxrview.results.summary import RunSummary, count_outcomes

RECORD_MOST, RECORD_SECONDS = 16, 0.5
"""Outcomes are recorded in groups of this size, or after this time, since each record waits for the
disk."""
_KEEPS_THE_TABLE = (InferenceError, CannotSortFolder, InputUnavailable, WorkerStartError)
"""Errors after which the finished rows are written before the error is raised."""

OutcomesOf = Callable[[Iterable[str]], Generator[Outcome | None, None, None]]
"""Classifies paths as `iter_outcomes` does: in order, with None if none has arrived for a while."""


def ignore_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Do nothing; the default of `on_outcomes`."""


def never() -> bool:
    """Return False; the default of `is_time_up`."""
    return False


def run_files(
    paths: Iterable[str],
    sink: ResultSink,
    model: Model,
    options: ClassifyOptions,
    *,
    named: Sequence[str] = (),
    conditions: Conditions | None = None,
    selection: Selection | None = None,
    overwrite: bool = False,
    forget_missing: bool = False,
    on_outcomes: Callable[[Sequence[Outcome]], None] = ignore_outcomes,
    is_time_up: Callable[[], bool] = never,
    outcomes_of: OutcomesOf | None = None,
) -> Result:
    """Classify every file and write the result; after Ctrl-C, a usable one and the journal.

    Args:
        paths: from `Inputs.find`.
        sink: where the rows are written.
        model: from `load_model`.
        options: how files are read and decided.
        named: the arguments of the run. If a folder among them becomes unreachable, the run stops.
        conditions: what the result depends on besides the files; a resume must have the same.
        selection: which of the paths; None for all. A resume must have the same.
        overwrite: delete the content of an existing journal. An existing complete table is replaced
        only when the new one is complete.
        forget_missing: drop outcomes of all files that are not found again, however many.
        on_outcomes: called with outcomes when they are recorded.
        is_time_up: called before each path and after every few outcomes; once it returns True the
        run stops as by Ctrl-C, during the files in progress.
        outcomes_of: classifies the paths in place of `iter_outcomes`, with the same model and
        options, such as the engine of a service, which runs already.

    Raises:
        UsageError: the journal belongs to a run under other conditions or is being written by
            another run; a complete result exists and `overwrite` is not given; failures and summary
            there belong to another result.
            RunStopped: the disk is full, the model's device failed, an input folder is unavailable,
            or too many files that were read before are not found again. The journal holds all
            finished outcomes; the table, too, if it could be written.
    """
    selection = selection or Selection()
    conditions = (conditions or {}) | selection.conditions()
    selected = Selected(paths, selection, is_time_up)
    journal = sink.open_journal(conditions, overwrite=overwrite)
    is_finished = False
    try:
        if journal.is_new and not overwrite:
            sink.check_new()  # another run may have ended since it was checked
        run = _Run(sink, journal, selected, named, forget_missing=forget_missing)
        run.read(outcomes_of or partial(iter_outcomes, model=model, options=options), on_outcomes)
        result = run.finish(conditions)
        is_finished = result.summary.is_complete
    except UsageError:  # there is nothing to resume
        is_finished = not len(journal)
        raise
    finally:
        if is_finished:
            journal.remove()
        else:
            journal.close()
    return result


class _Run:
    """The steps of one run: watch the folders, read the files, drop missing files, write.

    Args:
        sink: where the rows are written.
        journal: open.
        selected: the paths.
        named: the arguments of the run.
        forget_missing: as for `run_files`.
    """

    def __init__(
        self,
        sink: ResultSink,
        journal: Journal,
        selected: Selected,
        named: Sequence[str],
        *,
        forget_missing: bool,
    ) -> None:
        self._sink, self._journal, self._selected, self._named = sink, journal, selected, named
        self._forget_missing = forget_missing
        self._missing = 0
        self._is_complete = False
        self._stopped: RunStopped | None = None

    def read(
        self, outcomes_of: OutcomesOf, on_outcomes: Callable[[Sequence[Outcome]], None]
    ) -> None:
        """Read all files into the journal; an error that ends it is raised by `finish`."""
        done = self._journal.count_done()
        try:
            mounts = self._watch_mounts()
            self._is_complete = self._classify(outcomes_of, on_outcomes, mounts)
            if self._is_complete:
                self._missing = self._drop_missing(done, mounts)
        except _KEEPS_THE_TABLE as error:
            self._is_complete, self._stopped = False, error

    def finish(self, conditions: Conditions) -> Result:
        """Write the outcomes of the journal.

        Raises:
            RunStopped: an error ended the run, or the result cannot be written.
        """
        with _signals_ignored(), self._writing():
            result = self._sink.finish(self._journal, self._count(), conditions)
        if self._stopped:
            raise self._stopped
        return result

    def _count(self) -> RunSummary:
        journal, selected = self._journal, self._selected
        return count_outcomes(
            journal,
            read_now=journal.recorded,
            seconds=journal.seconds(),
            seconds_now=journal.seconds_now,
            is_complete=self._is_complete,
            named_again=journal.named_again,
            known=selected.known,
            missing=self._missing,
            is_time_up=selected.is_time_up and not self._is_complete,
        )

    def _watch_mounts(self) -> MountWatch:
        """Watch the folders that are readable now, and those of earlier runs."""
        for_good = "; --resume --forget-missing drops files that were deleted"
        mounts = MountWatch(
            self._named,
            self._sink.kept + (for_good if self._sink.can_resume else ""),
            noted={} if self._forget_missing else self._journal.watched(),
            last_read=self._journal.last_read(),
        )
        with self._writing():
            self._journal.watch(mounts.folders)
        return mounts

    def _classify(
        self,
        outcomes_of: OutcomesOf,
        on_outcomes: Callable[[Sequence[Outcome]], None],
        mounts: MountWatch,
    ) -> bool:
        """Classify into the journal; return False if Ctrl-C or the time limit ended it."""
        try:
            with closing(outcomes_of(self._to_do())) as outcomes:
                for group in _groups(outcomes):
                    if group:
                        self._keep(group)
                        on_outcomes(group)
                        mounts.check(group)
                    if self._selected.check_time():
                        return False
        except KeyboardInterrupt:
            return False
        finally:
            self._selected.end()
        return not self._selected.is_time_up

    def _to_do(self) -> Iterator[str]:
        """Yield the unfinished paths, which the journal records in a temporary file."""
        try:
            yield from self._journal.unfinished(self._selected)
        except sqlite3.DatabaseError as error:
            raise self._journal_failed(error) from error

    def _keep(self, group: list[Outcome]) -> None:
        first = self._journal.next_ordinal
        with self._writing():
            self._journal.record(group)
            self._sink.keep(self._journal, first)

    def _drop_missing(self, done: int, mounts: MountWatch) -> int:
        """Drop the outcomes of files that are not found any more; return their number."""
        with _signals_ignored(), self._writing():
            if self._forget_missing:
                missing = sum(1 for _ in self._journal.missing())
            else:
                missing = check_missing_files(self._journal, self._named, done)
            mounts.check_mounts()
            self._journal.forget_missing()
        return missing

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Raise CannotWrite for errors of the disk in the block."""
        try:
            yield
        except BrokenPipeError:  # the program that reads our rows has ended
            raise KeyboardInterrupt from None
        except sqlite3.DatabaseError as error:
            raise self._journal_failed(error) from error
        except OSError as error:
            raise CannotWrite(
                f"cannot write the result: {error}", f"Free disk space there. {self._sink.kept}"
            ) from error

    def _journal_failed(self, error: sqlite3.DatabaseError) -> CannotWrite:
        """Return the error of a full disk: that of the journal or of SQLite's temporary files."""
        if is_damaged(error):
            return CannotWrite(
                f"the journal was damaged while it was written: {error}",
                "Check the disk. --resume checks the journal before it goes on",
            )
        return CannotWrite(
            f"cannot write the result: {reason_with_folder(error)}",
            "Free disk space there or beside the result, or name another folder in SQLITE_TMPDIR. "
            + self._sink.kept,
        )


def _groups(outcomes: Iterable[Outcome | None]) -> Iterator[list[Outcome]]:
    """Yield outcomes to record together; an empty list if none has arrived for a while."""
    group: list[Outcome] = []
    began = time.monotonic()
    try:
        for outcome in outcomes:
            if outcome is not None:
                group.append(outcome)
            is_old = time.monotonic() - began > RECORD_SECONDS
            if outcome is None or is_old or len(group) == RECORD_MOST:
                yield group
                group, began = [], time.monotonic()
    except Exception:  # it ends the run, after the earlier outcomes are recorded
        if group:
            yield group
        raise
    if group:
        yield group


@contextmanager
def _signals_ignored() -> Iterator[None]:
    """Ignore Ctrl-C: writing the table does not take long, and half a table would be useless."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before: list[Any] = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
