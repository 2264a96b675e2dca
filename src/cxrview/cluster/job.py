"""`Job`: the folder beside a result in which a run on a cluster keeps what it has finished."""

import json
import uuid
from collections.abc import Mapping
from pathlib import Path

from cxrview.cluster.blocks import Blocks
from cxrview.cluster.ledger import Ledger
from cxrview.cluster.store import Store
from cxrview.errors import RunStopped, UsageError
from cxrview.results.conditions_in_words import differences
from cxrview.results.journal import Conditions

PARTS, FAILURES = "parts", "failures"
"""Folders of the rows and the failures of blocks."""
_CONDITIONS, _SESSION, _SPENT, _WATCHED = "job.json", "session", "spent", "watched.json"


class OtherSession(RunStopped):
    """Another run has continued the job; this one must not write any more."""


class Job:
    """What a run has listed and finished, until its result is complete.

    Args:
        store: `views.job` beside the result `views/`.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.blocks, self.ledger = Blocks(store), Ledger(store)

    def exists(self) -> bool:
        """Whether a run was begun and is not complete.

        Raises:
            InputUnavailable: the disk or the store fails.
        """
        return self.store.exists(_CONDITIONS)

    def begin(self, conditions: Conditions) -> str:
        """Begin the job, or continue it; a run that is still working on it ends.

        Args:
            conditions: what the rows depend on; a job that exists must have the same.

        Returns:
            The name of this session, with which its workers check that no other one has begun.

        Raises:
            UsageError: the job was begun under other conditions.
            RunStopped: the disk or the store fails.
        """
        self._agree_on(conditions)
        session = uuid.uuid4().hex
        self.store.put(_SESSION, session.encode())
        return session

    def _agree_on(self, conditions: Conditions) -> None:
        try:
            stored = json.loads(self.store.get(_CONDITIONS))
        except FileNotFoundError:
            self.remove()  # its other objects are there if an earlier removal was interrupted
            self.store.put(_CONDITIONS, json.dumps(conditions, indent=2).encode())
            return
        if stored != conditions:
            changed = "; ".join(
                f"{one.name}: {one.first} then, {one.other} now"
                for one in differences(stored, conditions)
            )
            raise UsageError(
                f"{self.store.root} was started with different settings: {changed}",
                "Resume with the same settings, or start over with --overwrite",
            )

    def need_session(self, session: str) -> None:
        """Check that no other run has continued or completed the job since `begin`.

        Raises:
            OtherSession: one has.
            InputUnavailable: the disk or the store fails.
        """
        try:
            now = self.store.get(_SESSION).decode()
        except FileNotFoundError:
            now = ""
        if now != session:
            raise OtherSession(
                f"another run has continued {self.store.root}", "Wait for it, or stop it first"
            )

    def watch(self, folders: Mapping[str, bool]) -> dict[str, bool]:
        """Add folders to those whose disks must stay mounted until the job is complete.

        Args:
            folders: and whether each is a mount point; those of `MountWatch`.

        Returns:
            All folders, with those of earlier runs.

        Raises:
            RunStopped: the disk or the store fails.
        """
        try:
            known: dict[str, bool] = json.loads(self.store.get(_WATCHED))
        except FileNotFoundError:
            known = {}
        watched = known | dict(folders)
        if watched != known:
            self.store.put(_WATCHED, json.dumps(watched, indent=2).encode())
        return watched

    def note_seconds(self, session: str, seconds: float) -> None:
        """Note how long a session has taken so far.

        Raises:
            CannotWrite: the disk or the store fails.
        """
        self.store.put(f"{_SPENT}/{session}", f"{seconds:.3f}".encode())

    def seconds(self) -> float:
        """Return the seconds of all sessions.

        Raises:
            InputUnavailable: the disk or the store fails.
        """
        names = [f"{_SPENT}/{name}" for name in self.store.names(_SPENT)]
        return sum(map(float, self.store.get_all(names)))

    def remove(self) -> None:
        """Delete the job: its result is complete, or is to be replaced.

        Raises:
            CannotWrite: the disk or the store fails.
        """
        self.store.remove_all(_CONDITIONS)


def job_folder(table: Path) -> Path:
    """Return the folder of the job that makes a local result."""
    return table.with_name(table.name + ".job")
