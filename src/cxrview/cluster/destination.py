"""Where a run on a cluster writes its result: a folder of Parquet parts, local or behind a URL."""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from cxrview.cluster.job import Job, job_folder
from cxrview.cluster.store import Store
from cxrview.errors import UsageError
from cxrview.results.columns import Row
from cxrview.results.files import Outputs
from cxrview.results.result import LazyTable, Result, result_on_disk
from cxrview.results.side_files import FAILURES_ENDING, OWNER, SUMMARY_ENDING, owner_name
from cxrview.results.summary import RunSummary, read_summary
from cxrview.results.tables import (
    new_parts_folder,
    publish_parts,
    write_failures,
    write_summary,
)
from cxrview.sources.paths import local_path

_PART = re.compile(r"part-\d{5,}\.parquet")


class Destination(Protocol):
    """A result that is made on a cluster, and the job that makes it."""

    name: str
    """As users name it, with / at its end."""
    job: Job

    def check(self, *, overwrite: bool, resume: bool) -> None:
        """Check that nothing is overwritten without permission.

        Raises:
            UsageError: a complete or incomplete result exists, or it cannot be written there.
        """

    def own_files(self) -> list[Path]:
        """Local files and folders of the result, which are never classified."""

    def is_own(self, path: str) -> bool:
        """Whether a URL is a file of the result, which is never classified."""

    def remove_unfinished(self) -> None:
        """Delete what an incomplete run has finished, on a cluster or without one.

        Raises:
            CannotWrite: the disk or the store fails.
            OSError: the folder is not writable.
        """

    def new_parts(self) -> Store:
        """Return the folder for the parts of the result; no earlier result is complete from now on.

        Raises:
            CannotWrite: the disk or the store fails.
            OSError: the disk is full.
        """

    def publish(self, parts: int, failures: Iterable[Row], summary: dict[str, Any]) -> None:
        """Write failures and summary, when all parts are written; the result is complete then.

        Raises:
            CannotWrite: the disk or the store fails.
            OSError: the disk is full.
        """

    def result(self, summary: RunSummary | None = None) -> Result:
        """Return the complete result; None reads the summary.

        Raises:
            UsageError: there is none.
        """

    def local_copy(self) -> Any:
        """Return a context manager with local `Outputs` that commands can read."""


def destination_named(name: str) -> Destination:
    """Return the destination that a user has named.

    Raises:
        UsageError: it is not a folder.
    """
    if not name.endswith("/"):
        raise UsageError(
            f"a cluster writes a folder of Parquet parts, and {name} is not the name of a folder",
            "Give --out a name with / at its end, such as views/ or s3://bucket/views/",
        )
    local = local_path(name)
    return LocalDestination(local) if local else RemoteDestination(name)


class LocalDestination:
    """A result in a folder that all machines have mounted.

    Args:
        name: of the folder.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.outputs = Outputs(table=Path(os.path.abspath(name)), in_parts=True)  # noqa: PTH100
        self.job = Job(Store(str(job_folder(self.outputs.table))))
        self._making: Path | None = None

    def check(self, *, overwrite: bool, resume: bool) -> None:
        """See `Destination`."""
        self.outputs.check(overwrite=True, resume=False)
        if overwrite:
            return
        if self.outputs.journal.exists():
            raise UsageError(
                f"{self.outputs.table} was begun without a cluster, and is incomplete",
                "Continue it without --cluster, or start over with --overwrite",
            )
        if self.job.exists():
            _need_resume(self.name, resume)
        else:
            self.outputs.check_complete(resume=resume)

    def own_files(self) -> list[Path]:
        """See `Destination`."""
        return [*self.outputs.all(), self.job.store.folder]

    def is_own(self, path: str) -> bool:
        """See `Destination`; `own_files` has them all."""
        return False

    def remove_unfinished(self) -> None:
        """See `Destination`."""
        journal = self.outputs.journal
        for path in (journal, journal.with_name(f"{journal.name}-journal")):  # that of SQLite
            path.unlink(missing_ok=True)
        self.job.remove()

    def new_parts(self) -> Store:
        """See `Destination`."""
        self._making = new_parts_folder(self.outputs.table)
        return Store(str(self._making))

    def publish(self, parts: int, failures: Iterable[Row], summary: dict[str, Any]) -> None:
        """See `Destination`."""
        assert self._making
        publish_parts(self._making, self.outputs.table)
        write_failures(self.outputs.failures, failures)
        write_summary(
            self.outputs.summary,
            summary | {OWNER: owner_name(self.outputs.table, in_parts=True)},
        )

    def result(self, summary: RunSummary | None = None) -> Result:
        """See `Destination`."""
        return result_on_disk(self.outputs, summary)

    @contextmanager
    def local_copy(self) -> Iterator[Outputs]:
        """See `Destination`."""
        yield self.outputs


class RemoteDestination:
    """A result below a URL.

    No file is renamed. The summary is deleted before the first part is written, and written after
    all others: a result without a summary is not complete.

    Args:
        name: URL of the folder.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        root = name.rstrip("/")
        above, _, self._folder = root.rpartition("/")
        if not self._folder or above.endswith(("/", ":")):
            raise UsageError(
                f"{name} has no folder for the parts of a result", "Name one, such as views/"
            )
        self._root, self._above, self._table = root, Store(above), Store(root)
        self._failures = self._folder + FAILURES_ENDING
        self._summary = self._folder + SUMMARY_ENDING
        self.job = Job(Store(root + ".job"))

    def check(self, *, overwrite: bool, resume: bool) -> None:
        """See `Destination`."""
        names = self._table.names("")
        if foreign := [name for name in names if not _PART.fullmatch(name)]:
            raise UsageError(
                f"{self.name} holds other files than parts of a result, such as {foreign[0]}",
                "Choose a new folder for --out",
            )
        if overwrite:
            return
        if self.job.exists():
            _need_resume(self.name, resume)
        elif names or self._above.exists(self._summary):
            raise UsageError(
                f"{self.name} already exists and is complete",
                "Choose another --out, or use --overwrite",
            )

    def own_files(self) -> list[Path]:
        """See `Destination`: none of them is local."""
        return []

    def is_own(self, path: str) -> bool:
        """See `Destination`."""
        return path.startswith(
            (
                f"{self._root}/",
                f"{self._root}.job/",
                f"{self._root}{FAILURES_ENDING}",
                f"{self._root}{SUMMARY_ENDING}",
            )
        )

    def remove_unfinished(self) -> None:
        """See `Destination`."""
        self.job.remove()

    def new_parts(self) -> Store:
        """See `Destination`."""
        self._above.remove(self._summary)
        return self._table

    def publish(self, parts: int, failures: Iterable[Row], summary: dict[str, Any]) -> None:
        """See `Destination`."""
        for name in self._table.names(""):  # of an earlier result that had more
            if _PART.fullmatch(name) and int(name[5:-8]) >= parts:
                self._table.remove(name)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / self._failures
            write_failures(file, failures)
            self._above.put_file(self._failures, file)
        facts = summary | {OWNER: f"{self._folder}/"}
        self._above.put(self._summary, (json.dumps(facts, indent=2) + "\n").encode())

    def result(self, summary: RunSummary | None = None) -> Result:
        """See `Destination`; its tables are copied from the store when they are read."""
        return Result(
            summary=summary or self._read_summary(),
            rows=LazyTable(lambda: self._read(lambda copy: copy.to_arrow())),
            failures=LazyTable(lambda: self._read(lambda copy: copy.failures.to_arrow())),
        )

    def _read(self, table: Any) -> Any:
        with self.local_copy() as outputs:
            return table(result_on_disk(outputs))

    def _read_summary(self) -> RunSummary:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / self._summary
            try:
                self._above.get_file(self._summary, file)
            except FileNotFoundError:
                raise UsageError(
                    f"{self.name} is not a complete result: it has no summary", "Check the name"
                ) from None
            return read_summary(file)

    @contextmanager
    def local_copy(self) -> Iterator[Outputs]:
        """See `Destination`; the copy is removed after the block."""
        with tempfile.TemporaryDirectory(prefix="cxrview-") as folder:
            table = Path(folder) / self._folder
            table.mkdir()
            for name in self._table.names(""):
                if _PART.fullmatch(name):
                    self._table.get_file(name, table / name)
            for name in (self._failures, self._summary):
                self._above.get_file(name, Path(folder) / name)
            yield Outputs(table=table, in_parts=True)


def _need_resume(name: str, resume: bool) -> None:
    if not resume:
        raise UsageError(
            f"{name} is incomplete", "Continue with --resume, or start over with --overwrite"
        )
