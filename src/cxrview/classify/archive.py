"""One run over an archive, from paths to written tables; stopped at any point, it can go on."""

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from cxrview.classify.engine import EngineSettings, classify_files
from cxrview.classify.runtime import Model
from cxrview.errors import CannotWrite, UsageError, WorkersFailed
from cxrview.records import Failure, Prediction
from cxrview.store.journal import Conditions, Journal
from cxrview.store.tables import (
    table_format,
    write_failures,
    write_json_lines,
    write_summary,
    write_table,
)

Outcome = Prediction | Failure

RECORD_MOST, RECORD_SECONDS = 16, 0.5
"""Outcomes are recorded when there are so many, or when the last record is so old: each waits
for the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The files of one result, all named after its table."""

    table: Path

    def __post_init__(self) -> None:
        table_format(self.table)

    @property
    def failures(self) -> Path:
        """`views.failures.csv` beside `views.parquet`."""
        return self.table.with_suffix(".failures.csv")

    @property
    def summary(self) -> Path:
        """`views.summary.json`."""
        return self.table.with_suffix(".summary.json")

    @property
    def journal(self) -> Path:
        """`views.parquet.journal`, there only while the result is not whole."""
        return self.table.with_name(self.table.name + ".journal")

    def all(self) -> list[Path]:
        """Every file that may lie there, whole, in the making, or of SQLite's."""
        whole = [self.table, self.failures, self.summary, self.journal]
        in_the_making = [p.with_name(p.name + ".part") for p in whole[:3]]
        return [*whole, *in_the_making, self.journal.with_name(self.journal.name + "-journal")]

    def check(self, *, overwrite: bool, resume: bool) -> None:
        """See to it that nothing is overwritten that nobody asked to overwrite.

        Raises:
            UsageError: a result or the beginning of one stands there, or nothing can be
                written there.
        """
        folder = self.table.parent
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}", "Make it, or name another")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UsageError(f"nothing may be written into {folder}", "Name another with --out")
        standing = [p for p in (self.table, self.failures, self.summary) if p.exists()]
        if folders := [p for p in standing if p.is_dir()]:
            raise UsageError(f"{folders[0]} is a folder", "Name another with --out")
        if overwrite:
            return
        if self.journal.exists() and not resume:
            raise UsageError(
                f"{self.table} was begun and not finished",
                "Go on with --resume, or begin anew with --overwrite",
            )
        if standing and not self.journal.exists():
            raise UsageError(
                f"{standing[0]} exists already, and whole",
                "Name another with --out, or replace it with --overwrite",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the files: found = classified + review + not_chest + skipped + failed."""

    found: int
    frontal: int
    lateral: int
    review: int
    not_chest: int
    skipped: int
    failed: dict[str, int]
    """By code."""
    agreement: dict[str, int]
    """Of the classified, with their headers."""
    read_now: int
    """Files that this run read; the others were in the journal already."""
    named_again: int
    """Paths named more than once in this run; each was read once."""
    seconds: float
    is_complete: bool
    """False where the run was interrupted."""

    @property
    def classified(self) -> int:
        """Images with a view."""
        return self.frontal + self.lateral

    @property
    def exit_code(self) -> int:
        """0 done, 1 done with failures listed."""
        return 1 if self.failed else 0


def classify_archive(
    paths: Iterable[str],
    out: Outputs | tuple[IO[str], IO[str]],
    model: Model,
    settings: EngineSettings,
    *,
    conditions: Conditions | None = None,
    anew: bool = False,
    watch: Callable[[list[Outcome]], None] = lambda outcomes: None,
) -> Tally:
    """Classify every file and write the result; Ctrl-C leaves a usable one and the journal.

    Args:
        paths: as `find_images` gives them.
        out: the files of the result; or two streams, which get rows and failures as JSON lines
            as they come, without a journal on the disk.
        model: as `load_model` gives it.
        settings: how the engine runs.
        conditions: what the result depends on besides the files; a resume must have the same.
        anew: forget what a journal there holds. A table there is replaced when the new one
            stands, and not before.
        watch: told of outcomes as they are recorded.

    Raises:
        UsageError: the journal there was begun under other conditions, or is being written.
        CannotGoOn: the disk is full, or files cannot be read any more; the table holds what
            was finished where it could be written, and the journal holds it always.
    """
    began, conditions = time.monotonic(), conditions or {}
    journal = Journal(out.journal if isinstance(out, Outputs) else None, conditions, anew=anew)
    is_finished = False
    try:
        known, failed = len(journal), None
        try:
            is_complete = _run(journal, paths, out, model, settings, watch)
        except WorkersFailed as error:
            is_complete, failed = False, error
        with _undisturbed(), _writing(can_resume=isinstance(out, Outputs)):
            if is_complete:
                journal.forget_what_is_gone()
            tally = _tally(journal, known, time.monotonic() - began, is_complete)
            if isinstance(out, Outputs):
                _write(out, journal, tally, conditions)
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
    paths: Iterable[str],
    out: Outputs | tuple[IO[str], IO[str]],
    model: Model,
    settings: EngineSettings,
    watch: Callable[[list[Outcome]], None],
) -> bool:
    """Classify into the journal; False where Ctrl-C ended it."""
    outcomes = classify_files(journal.still_to_do(paths), model, settings)
    try:
        for group in _groups(outcomes):
            first = journal.next_ordinal
            with _writing(can_resume=isinstance(out, Outputs)):
                journal.record(group)
                if not isinstance(out, Outputs):
                    _stream(out, journal, first)
            watch(group)
    except KeyboardInterrupt:
        return False
    return True


def _groups(outcomes: Iterable[Outcome]) -> Iterator[list[Outcome]]:
    """What is recorded together."""
    group: list[Outcome] = []
    began = time.monotonic()
    for outcome in outcomes:
        group.append(outcome)
        if len(group) == RECORD_MOST or time.monotonic() - began > RECORD_SECONDS:
            yield group
            group, began = [], time.monotonic()
    if group:
        yield group


@contextmanager
def _writing(*, can_resume: bool) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # whoever read our rows has seen enough
        raise KeyboardInterrupt from None
    except (OSError, sqlite3.OperationalError) as error:
        raise CannotWrite(
            f"the result cannot be written: {error}",
            "Make room there and go on with --resume: what was finished is kept"
            if can_resume
            else "Rows that were written so far are right",
        ) from error


def _stream(out: tuple[IO[str], IO[str]], journal: Journal, first: int) -> None:
    rows, failures = out
    write_json_lines(rows, journal.rows(first))
    rows.flush()
    write_json_lines(failures, journal.failures(first))
    failures.flush()


def _write(out: Outputs, journal: Journal, tally: Tally, conditions: Conditions) -> None:
    write_table(out.table, journal.rows())
    write_failures(out.failures, journal.failures())
    write_summary(out.summary, _summary(tally, conditions))


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


def _tally(journal: Journal, known: int, seconds: float, is_complete: bool) -> Tally:
    by: dict[str, dict[str, int]] = {"failed": {}, "decision": {}, "view": {}, "agreement": {}}
    for code, decision, view, agreement, count in journal.counts():
        for kind, value in zip(by, (code, decision, view, agreement), strict=True):
            if value is not None:
                by[kind][value] = by[kind].get(value, 0) + count
    return Tally(
        found=len(journal),
        frontal=by["view"].get("frontal", 0),
        lateral=by["view"].get("lateral", 0),
        review=by["decision"].get("review", 0),
        not_chest=by["decision"].get("not_chest", 0),
        skipped=by["decision"].get("skipped", 0),
        failed=by["failed"],
        agreement=by["agreement"],
        read_now=len(journal) - known,
        named_again=journal.named_again,
        seconds=seconds,
        is_complete=is_complete,
    )


def _summary(tally: Tally, conditions: Conditions) -> dict[str, Any]:
    return {
        "found": tally.found,
        "classified": tally.classified,
        "review": tally.review,
        "not_chest": tally.not_chest,
        "skipped": tally.skipped,
        "failed": sum(tally.failed.values()),
        "frontal": tally.frontal,
        "lateral": tally.lateral,
        "failed_by_code": tally.failed,
        "agreement_with_header": tally.agreement,
        "named_again": tally.named_again,
        "is_complete": tally.is_complete,
        "seconds": round(tally.seconds, 1),
        "conditions": conditions,
    }
