"""Keep the CSV file of a review up to date without losing what was edited in it by hand.

The log holds a digest of each CSV file that was written. A file with another digest was edited: its
changes are taken into the log first.
"""

import uuid
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cxrview.audit.decisions import read_decisions, write_decisions
from cxrview.audit.review.decision_log import Decided, DecisionLog, Entry, Undone
from cxrview.errors import UsageError
from cxrview.records.review_decision import ReviewDecision


def log_path(csv: Path) -> Path:
    """The file of the log that belongs to a CSV file.

    Raises:
        UsageError: the file is not named as a CSV file, or one of the two is a folder.
    """
    if csv.suffix.lower() != ".csv":
        raise UsageError(f"{csv} is not named as a CSV file", "Name it .csv")
    log = csv.with_suffix(".jsonl")
    for path in (csv, log):
        if path.is_dir():
            raise UsageError(f"{path} is a folder", "Name another file with --decisions")
    return log


def take_edits(log: DecisionLog, csv: Path) -> int:
    """Append to the log what was changed in the CSV file since it was written.

    A row that was deleted undoes its decision. Where an image was decided in the browser after the
    file was saved, that decision counts.

    Returns:
        How many decisions changed.

    Raises:
        UsageError: the file has mistakes; the log is unchanged.
        CannotWrite: the log cannot be written.
    """
    if not csv.exists() or _digest(csv) == log.exported:
        return 0
    saved_at = csv.stat().st_mtime
    edited = {one.path: one for one in read_decisions(csv)}
    before = log.decisions_when_exported
    entries: list[Entry] = []
    for path in {**before, **edited}:
        row, old, now = edited.get(path), before.get(path), log.find(path)
        if row == old or row == (now.decision if now else None):
            continue
        if now and now.decision != old and now.decision.decided_at.timestamp() > saved_at:
            continue
        entries += _entry(path, row, now)
    log.append(entries)
    return len(entries)


def write_csv_of(log: DecisionLog, csv: Path) -> None:
    """Write the decisions that count now, after `take_edits`; no file where there are none yet.

    Raises:
        CannotWrite: the disk is full or fails.
    """
    if not csv.exists() and not len(log):
        return
    if csv.exists() and _digest(csv) == log.exported and log.is_exported:
        return
    write_decisions(csv, log.decisions)
    log.note_export(_digest(csv))


def _entry(path: str, row: ReviewDecision | None, now: Decided | None) -> list[Entry]:
    uid = uuid.uuid4().hex
    if row:
        return [Decided(uid=uid, decision=row)]
    if now:
        return [Undone(uid=uid, path=path, undoes=now.uid, decided_at=datetime.now(UTC))]
    return []


def _digest(csv: Path) -> str:
    return sha256(csv.read_bytes()).hexdigest()
