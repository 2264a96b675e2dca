"""What a write-back has finished, one JSON object a line, so that it can be resumed.

A line is appended after its copy has its final name. A process that is killed leaves at most one
incomplete line, which is dropped: its file is written again, to the same bytes.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from cxrview.atomic_files import raising_cannot_write, write_atomic
from cxrview.errors import UsageError
from cxrview.records.classification import Failure
from cxrview.writeback.copy_file import Correction
from cxrview.writeback.correct import ElementChange

FORMAT = 1


class WritebackJournal:
    """The journal of one write-back, open for appending."""

    def __init__(self, path: Path, conditions: Mapping[str, str]) -> None:
        self._path = path
        self.conditions = dict(conditions)
        self.outcomes: dict[str, Correction | Failure] = {}
        """By source path, of the runs before this one and of this one."""
        with raising_cannot_write(path):
            self._file = path.open("ab", buffering=0)

    @classmethod
    def create(cls, path: Path, conditions: Mapping[str, str]) -> Self:
        """Create a journal whose first line is `conditions`; it appears together with this line."""
        first = {"format": FORMAT, "conditions": dict(conditions)}
        write_atomic(path, _line(first))
        return cls(path, conditions)

    @classmethod
    def resume(cls, path: Path) -> Self:
        """Open the journal of a run that was interrupted.

        Raises:
            UsageError: there is none, or it is not a journal of a write-back.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise UsageError(
                f"{path} does not exist, so that no write-back can be resumed",
                "Run without --resume",
            ) from None
        complete, _, rest = content.rpartition(b"\n")
        lines = complete.split(b"\n")
        try:
            first = json.loads(lines[0])
            journal = cls(path, first["conditions"])
            outcomes = [entry_outcome(json.loads(line)) for line in lines[1:]]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(
                f"{path} is not a journal of a write-back", "Remove it, or choose another --out"
            ) from error
        if rest:
            journal._file.truncate(len(complete) + 1)
        journal.outcomes = {_source(one): one for one in outcomes}
        return journal

    def record(self, outcomes: Sequence[Correction | Failure]) -> None:
        """Append some outcomes, in one write."""
        self.outcomes |= {_source(one): one for one in outcomes}
        self._append(*map(outcome_entry, outcomes))

    def close(self) -> None:
        """Close the file; it stays for a resume."""
        self._file.close()

    def remove(self) -> None:
        """Close and delete the file: the run is complete."""
        self.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def _append(self, *entries: Mapping[str, Any]) -> None:
        data = b"".join(map(_line, entries))
        with raising_cannot_write(self._path):
            while data:  # a full disk may take a part of it
                data = data[self._file.write(data) :]


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry).encode() + b"\n"


def outcome_entry(outcome: Correction | Failure) -> dict[str, Any]:
    """An outcome as an entry of the journal: plain dictionaries, lists, texts and numbers."""
    return {"failure" if isinstance(outcome, Failure) else "correction": asdict(outcome)}


def entry_outcome(entry: Mapping[str, Any]) -> Correction | Failure:
    """The outcome that `outcome_entry` made an entry of.

    Raises:
        KeyError, TypeError: it is not such an entry.
    """
    if "failure" in entry:
        return Failure(**entry["failure"])
    fields = entry["correction"]
    changes = tuple(ElementChange(**change) for change in fields["changes"])
    return Correction(**(fields | {"changes": changes}))


def _source(outcome: Correction | Failure) -> str:
    return outcome.path if isinstance(outcome, Failure) else outcome.source
