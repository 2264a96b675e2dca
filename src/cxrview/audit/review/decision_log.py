"""The decisions of a review as an append-only file that survives a crash.

The file is JSON Lines: a decision or the undoing of one in each line. Lines are on the disk
(`fsync`) before a decision is acknowledged, and no line is ever changed. A crash can leave part of
a line at the end; it was not acknowledged, and is removed when the file is opened again.
"""

import json
import logging
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from cxrview.atomic_files import raising_cannot_write, sync_folder
from cxrview.errors import CannotWrite, UsageError
from cxrview.records.review_decision import ReviewDecision
from cxrview.terms import Projection, Ruling, View

_DECIDE, _UNDO, _EXPORTED = "decide", "undo", "exported"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision with the identifier that its sender gave it."""

    uid: str
    """The same decision that is sent twice is written once."""
    decision: ReviewDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """The undoing of a decision; it has no effect once a later decision counts."""

    uid: str
    path: str
    """Of the image."""
    undoes: str
    """The `uid` of the decision."""
    decided_at: datetime


Entry = Decided | Undone


class DecisionLog:
    """An open file of decisions, which no other process can open at the same time.

    Its methods may be called by one thread at a time.

    Args:
        path: of the file, which is created if it does not exist.

    Raises:
        UsageError: another process has it open, or a line is not one of such a file.
        CannotWrite: the file cannot be created or opened for writing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._decided: dict[str, Decided] = {}
        self._uids: set[str] = set()
        self._file, self._is_locked = _CLOSED, False
        self.exported = ""
        """Digest of the CSV file that was written last; empty if none was."""
        self.decisions_when_exported: dict[str, ReviewDecision] = {}
        with raising_cannot_write(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _CLOEXEC, 0o600)
        try:
            _lock(self._file, path)
            self._is_locked = True
            with raising_cannot_write(path):
                self._read()
                if is_new:
                    sync_folder(path.parent)
        except BaseException:  # also Ctrl-C: the lock must not outlive the attempt
            self.close()
            raise

    def __len__(self) -> int:
        """Number of images with a decision."""
        return len(self._decided)

    @property
    def decisions(self) -> list[ReviewDecision]:
        """What counts now: one decision an image, in the order in which they were made."""
        return [one.decision for one in self._decided.values()]

    @property
    def is_exported(self) -> bool:
        """Whether the CSV file that was written last has the decisions that count now."""
        now = {path: one.decision for path, one in self._decided.items()}
        return bool(self.exported) and now == self.decisions_when_exported

    def find(self, path: str) -> Decided | None:
        """The decision on an image, if there is one."""
        return self._decided.get(path)

    def latest(self, most: int) -> list[Decided]:
        """The decisions that were made last, the last of them first."""
        decided = reversed(self._decided.values())
        return [one for one, _ in zip(decided, range(most), strict=False)]

    def append(self, entries: Iterable[Entry]) -> None:
        """Write entries; they are on the disk when this returns. Known identifiers are left out.

        Raises:
            CannotWrite: the disk is full or fails, or the file was removed; then none of them is
                written.
        """
        new: dict[str, Entry] = {one.uid: one for one in entries if one.uid not in self._uids}
        self._write([_entry_line(one) for one in new.values()])
        for entry in new.values():
            self._apply(entry)

    def note_export(self, digest: str) -> None:
        """Record that the decisions that count now were written as a CSV file.

        Args:
            digest: of the file's bytes.

        Raises:
            CannotWrite: the disk is full or fails.
        """
        self._write([{"act": _EXPORTED, "digest": digest}])
        self._apply_export(digest)

    def close(self) -> None:
        """Close the file, and remove it if it is empty; no effect the second time."""
        file, self._file = self._file, _CLOSED
        if file == _CLOSED:
            return
        with suppress(OSError):
            # Not the empty file of another process, which has only just created it.
            if self._is_locked and not os.fstat(file).st_size and _is_file_at(self.path, file):
                self.path.unlink()
        os.close(file)

    def _write(self, lines: Sequence[dict[str, Any]]) -> None:
        if not lines:
            return
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        content = text.encode("utf-8", "backslashreplace")
        if not _is_file_at(self.path, self._file):  # what is written would be lost
            raise CannotWrite(
                f"{self.path} was removed or replaced while it was open",
                "Put it back, or end cxrview and start it again",
            )
        with raising_cannot_write(self.path):
            size = os.fstat(self._file).st_size
            try:
                while content:
                    content = content[os.write(self._file, content) :]
                os.fsync(self._file)
            except OSError:
                with suppress(OSError):  # half a line would make the next one unreadable
                    os.ftruncate(self._file, size)
                raise

    def _read(self) -> None:
        good = 0
        with open(self._file, "rb", closefd=False) as file:  # noqa: PTH123 (a descriptor)
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n") and _is_start_of_line(line):
                    self._remove_from(good, number)
                    return
                try:
                    self._take(json.loads(line))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    raise UsageError(
                        f"{self.path}, line {number}, is not a decision of a review",
                        "Restore the file from a backup, or name another one with --decisions",
                    ) from error
                good += len(line)

    def _remove_from(self, size: int, number: int) -> None:
        """Remove an incomplete last line."""
        _log.warning(
            "%s: line %d is incomplete, as after a crash. It was not acknowledged and is ignored.",
            self.path.name,
            number,
        )
        os.ftruncate(self._file, size)
        os.fsync(self._file)

    def _take(self, line: dict[str, Any]) -> None:
        if line["act"] == _EXPORTED:
            self._apply_export(str(line["digest"]))
        else:
            self._apply(_entry_of(line))

    def _apply(self, entry: Entry) -> None:
        self._uids.add(entry.uid)
        if isinstance(entry, Decided):
            self._decided.pop(entry.decision.path, None)  # so that the order is that of the latest
            self._decided[entry.decision.path] = entry
            return
        found = self._decided.get(entry.path)
        if found and found.uid == entry.undoes:
            del self._decided[entry.path]

    def _apply_export(self, digest: str) -> None:
        self.exported = digest
        self.decisions_when_exported = {one.path: one for one in self.decisions}


_CLOSED = -1
_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_START = b'{"act": "'
"""Of every line: an incomplete line of another file is not removed."""
_NAMES = tuple(field.name for field in fields(ReviewDecision))


def _is_start_of_line(line: bytes) -> bool:
    return line.startswith(_START) or _START.startswith(line)


def _entry_line(entry: Entry) -> dict[str, Any]:
    if isinstance(entry, Undone):
        return {
            "act": _UNDO,
            "uid": entry.uid,
            "path": entry.path,
            "undoes": entry.undoes,
            "decided_at": entry.decided_at.isoformat(),
        }
    values = {name: getattr(entry.decision, name) for name in _NAMES}
    values["decided_at"] = entry.decision.decided_at.isoformat()
    return {"act": _DECIDE, "uid": entry.uid, **values}


def _entry_of(line: dict[str, Any]) -> Entry:
    uid, path = str(line["uid"]), str(line["path"])
    decided_at = datetime.fromisoformat(line["decided_at"])
    if line["act"] == _UNDO:
        return Undone(uid=uid, path=path, undoes=str(line["undoes"]), decided_at=decided_at)
    if line["act"] != _DECIDE:
        raise ValueError("neither a decision nor an undo")
    decision = ReviewDecision(
        path=path,
        content_id=str(line["content_id"]),
        proposed=View(line["proposed"]) if line["proposed"] else None,
        decision=Ruling(line["decision"]),
        view=View(line["view"]) if line["view"] else None,
        projection=Projection(line["projection"]) if line["projection"] else None,
        reader=str(line["reader"]),
        decided_at=decided_at,
        note=str(line["note"]),
    )
    return Decided(uid=uid, decision=decision)


def _lock(file: int, path: Path) -> None:
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_ours = _is_file_at(path, file)  # the file may have been removed before it was locked
    except ImportError:  # no lock on systems without flock
        is_ours = True
    except BlockingIOError:
        is_ours = False
    if not is_ours:
        raise UsageError(
            f"another process writes decisions to {path}",
            "Use the page of that process, which several browsers can open; or name another file "
            "with --decisions",
        )


def _is_file_at(path: Path, file: int) -> bool:
    """Whether an open file still has its name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except OSError:
        return False
