"""One run over an archive, from paths to written tables; stopped at any point, it can go on."""

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import IO

from cxrview.classify.engine import EngineSettings, iter_outcomes
from cxrview.classify.missing_files import MountWatch, check_missing_files
from cxrview.classify.model import Model, load_model
from cxrview.classify.selection import Selected, Selection
from cxrview.errors import (
    CannotSortFolder,
    CannotWrite,
    InferenceError,
    InputUnavailable,
    UsageError,
    WorkerStartError,
)
from cxrview.records import Failure, Prediction
from cxrview.results.files import Outputs
from cxrview.results.journal import Conditions, Journal
from cxrview.results.journal_errors import told_with_folder
from cxrview.results.summary import RunSummary, count_outcomes, write_result
from cxrview.results.tables import write_json_lines
from cxrview.sources.order import read_arguments

Outcome = Prediction | Failure

RECORD_MOST, RECORD_SECONDS = 16, 0.5
"""Outcomes are recorded when there are so many, or when the last record is so old: each waits
for the disk."""


def classify_archive(
    paths: Iterable[str],
    out: Outputs | tuple[IO[str], IO[str]],
    model: Model | None = None,
    settings: EngineSettings | None = None,
    *,
    conditions: Conditions | None = None,
    anew: bool = False,
    forget_missing: bool = False,
    watch: Callable[[list[Outcome]], None] = lambda outcomes: None,
    selection: Selection | None = None,
    is_time_up: Callable[[], bool] = lambda: False,
) -> RunSummary:
    """Classify every file and write the result; Ctrl-C leaves a usable one and the journal.

    Args:
        paths: as `find_images` gives them.
        out: the files of the result; or two streams, which get rows and failures as JSON lines
            as they come, without a journal on the disk.
        model: as `load_model` gives it; the one in the package where None.
        settings: how the engine runs; the defaults where None: no pseudonyms of patients, the
            card's review band.
        conditions: what the result depends on besides the files; a resume must have the same.
            The folders in `paths`, a list of what was named as JSON, must stay within reach.
        anew: forget what a journal there holds. A table there is replaced when the new one
            stands, and not before.
        forget_missing: drop outcomes of all files that are not found again, however many.
        watch: told of outcomes as they are recorded.
        selection: which of the paths; all where None. A resume must have the same.
        is_time_up: asked before each path and after each few outcomes; when it says so the run
            stops as by Ctrl-C, within the files under way.

    Raises:
        UsageError: the journal there was begun under other conditions, or is being written; or
            there is none and a result stands there, which only `anew` replaces; or failures and
            summary there belong to another result.
        InvalidModel: the model in the package is damaged.
        RunStopped: the disk is full, the network's device gave up, what a PATH held is out of
            reach, or too many files that were read before are not found again; the table holds
            what was finished where it could be written, and the journal holds it always.
    """
    model, settings = model or load_model(), settings or EngineSettings()
    selection = selection or Selection()
    if isinstance(out, Outputs):
        out.check_side_files()
    conditions = (conditions or {}) | selection.conditions()
    selected = Selected(paths, selection, is_time_up)
    journal = Journal(out.journal if isinstance(out, Outputs) else None, conditions, anew=anew)
    is_finished = False
    try:
        if isinstance(out, Outputs) and journal.is_new and not anew:
            out.check_standing(resume=True)  # another run may have ended since it was checked
        done, gone, failed = journal.count_done(), 0, None
        try:
            reach = _reach(
                journal, conditions, can_resume=isinstance(out, Outputs), forget=forget_missing
            )
            is_complete = _run(journal, selected, out, model, settings, watch, reach)
            if is_complete:
                known = None if forget_missing else done
                gone = _forget_what_is_gone(journal, conditions, known, reach)
        except (InferenceError, CannotSortFolder, InputUnavailable, WorkerStartError) as error:
            is_complete, failed = False, error
        with _undisturbed(), _writing(can_resume=isinstance(out, Outputs)):
            tally = count_outcomes(
                journal,
                read_now=journal.recorded,
                seconds=journal.seconds(),
                seconds_now=journal.seconds_now,
                is_complete=is_complete,
                named_again=journal.named_again,
                known=selected.known,
                gone=gone,
                is_time_up=selected.is_time_up and not is_complete,
            )
            if isinstance(out, Outputs):
                write_result(out, journal, tally, conditions)
        if failed:
            raise failed
        is_finished = is_complete
    except UsageError:  # nothing was begun that could be resumed
        is_finished = not len(journal)
        raise
    finally:
        if is_finished:
            journal.remove()
        else:
            journal.close()
    return tally


def _run(
    journal: Journal,
    selected: Selected,
    out: Outputs | tuple[IO[str], IO[str]],
    model: Model,
    settings: EngineSettings,
    watch: Callable[[list[Outcome]], None],
    reach: MountWatch,
) -> bool:
    """Classify into the journal; False where Ctrl-C or the clock ended it."""
    can_resume = isinstance(out, Outputs)
    to_do = _noted(journal.still_to_do(selected), can_resume=can_resume)
    try:
        with closing(iter_outcomes(to_do, model, settings)) as outcomes:
            for group in _groups(outcomes):
                if group:
                    _keep(journal, group, out)
                    watch(group)
                    reach.check(group)
                if selected.look_at_the_clock():
                    return False
    except KeyboardInterrupt:
        return False
    finally:
        selected.end()
    return not selected.is_time_up


def _keep(journal: Journal, group: list[Outcome], out: Outputs | tuple[IO[str], IO[str]]) -> None:
    first = journal.next_ordinal
    with _writing(can_resume=isinstance(out, Outputs)):
        journal.record(group)
        if not isinstance(out, Outputs):
            _stream(out, journal, first)


def _reach(
    journal: Journal, conditions: Conditions, *, can_resume: bool, forget: bool
) -> MountWatch:
    """What must stay within reach: what does now, and did for earlier runs unless forgotten."""
    for_good = "; --resume --forget-missing drops what is gone for good" if can_resume else ""
    reach = MountWatch(
        read_arguments(conditions.get("paths", "")),
        _what_is_kept(can_resume) + for_good,
        noted={} if forget else journal.watched(),
        last_read=journal.last_read(),
    )
    with _writing(can_resume=can_resume):
        journal.watch(reach.folders)
    return reach


def _forget_what_is_gone(
    journal: Journal, conditions: Conditions, done: int | None, reach: MountWatch
) -> int:
    """Drop the outcomes of files that are gone, all where None were done; how many there were."""
    with _undisturbed(), _writing(can_resume=True):
        if done is None:
            gone = sum(1 for _ in journal.gone())
        else:
            gone = check_missing_files(journal, conditions, done)
            reach.look()
        journal.forget_what_is_gone()
    return gone


def _groups(outcomes: Iterable[Outcome | None]) -> Iterator[list[Outcome]]:
    """What is recorded together; empty where nothing has come for a while."""
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
    except Exception:  # it ends the run, and not what was finished before
        if group:
            yield group
        raise
    if group:
        yield group


@contextmanager
def _writing(*, can_resume: bool) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # whoever read our rows has seen enough
        raise KeyboardInterrupt from None
    except sqlite3.OperationalError as error:
        raise _journal_failed(error, can_resume) from error
    except OSError as error:
        raise CannotWrite(
            f"the result cannot be written: {error}",
            "Make room there. " + _what_is_kept(can_resume),
        ) from error


def _noted(paths: Iterator[str], *, can_resume: bool) -> Iterator[str]:
    """Paths that the journal notes as they are taken, in a temporary file."""
    try:
        yield from paths
    except sqlite3.OperationalError as error:
        raise _journal_failed(error, can_resume) from error


def _journal_failed(error: sqlite3.OperationalError, can_resume: bool) -> CannotWrite:
    """SQLite does not say whether the journal's disk is full or that of temporary files."""
    return CannotWrite(
        f"the result cannot be written: {told_with_folder(error)}",
        "Make room there or beside the result, or name another folder in SQLITE_TMPDIR. "
        + _what_is_kept(can_resume),
    )


def _what_is_kept(can_resume: bool) -> str:
    if can_resume:
        return "Then go on with --resume: what was finished is kept"
    return "Rows that were written so far are right"


def _stream(out: tuple[IO[str], IO[str]], journal: Journal, first: int) -> None:
    rows, failures = out
    write_json_lines(rows, journal.rows(first))
    rows.flush()
    write_json_lines(failures, journal.failures(first))
    failures.flush()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait: writing the table is short, and half a table helps nobody."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
