"""The commands that are disturbed: how each is started, resumed, and compared with an undisturbed
run."""

import csv
import json
import os
import re
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Protocol

import pyarrow.parquet as pq

from faults.bench import WAIT_SECONDS, Bench, Counts

TIME = re.compile(rb"\d{14}\.\d{6}[+-]\d{4}")
"""A DICOM DateTime, which differs from run to run in each copy."""


class Case(Protocol):
    """A command that can be stopped at any moment and resumed."""

    name: str
    codes: tuple[int, ...]
    """Exit codes of a complete run."""
    startup: float
    """Seconds of an undisturbed run before its first output."""
    working: float
    """Seconds after that."""

    def start(self, folder: Path, **more: Any) -> "subprocess.Popen[bytes]":
        """Start it, or resume what is in the folder."""

    def has_begun(self, folder: Path) -> bool:
        """Whether there is output."""

    def is_complete(self, folder: Path) -> bool:
        """Whether a stopped run had written everything, so that there is nothing to resume."""

    def stage(self, folder: Path) -> str:
        """Return how far a stopped run came."""

    def check_stopped(self, folder: Path, counts: Counts) -> None:
        """Check that everything a stopped run left is valid."""

    def check_complete(self, folder: Path, counts: Counts) -> None:
        """Compare a complete run with the undisturbed one."""

    def check_changed(self, folder: Path, changed: set[str], counts: Counts) -> None:
        """Compare a complete run, during which some files changed, with the undisturbed one."""

    def kibibytes(self) -> int:
        """Return the size of what the undisturbed run left."""


def measure(case: Case, bench: Bench) -> tuple[Path, float, float]:
    """Run a command undisturbed; return its folder, and the seconds before and after its first
    output."""
    folder = bench.folder / f"undisturbed-{case.name}"
    folder.mkdir()
    began = time.monotonic()
    process = case.start(folder)
    while process.poll() is None and not case.has_begun(folder):
        time.sleep(0.005)
    startup = time.monotonic() - began
    code = process.wait(WAIT_SECONDS)
    if code not in case.codes:
        raise RuntimeError(f"the undisturbed run ended with exit code {code}: {bench.said(0)}")
    return folder, startup, time.monotonic() - began - startup


def visible_parts(folder: Path) -> list[str]:
    """Return the names of incomplete files."""
    return sorted(path.name for path in folder.rglob("*.part"))


class Classify:
    """`cxrview classify`, into one table."""

    name = "classify"
    codes = (1,)

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._whole, self.startup, self.working = measure(self, bench)
        self._paths = Counter(row_paths(self._whole))

    def start(self, folder: Path, **more: Any) -> "subprocess.Popen[bytes]":
        """See `Case`; --resume starts a new run where there is none."""
        out = folder / "views.parquet"
        return self._bench.start("classify", "archive", "--out", out, "--resume", **more)

    def has_begun(self, folder: Path) -> bool:
        """See `Case`."""
        return (folder / "views.parquet.journal").exists()

    def is_complete(self, folder: Path) -> bool:
        """See `Case`."""
        return (folder / "views.summary.json").exists() and not self.has_begun(folder)

    def stage(self, folder: Path) -> str:
        """See `Case`."""
        if self.is_complete(folder):
            return "when all was written"
        recorded = journal_rows(folder)
        if not recorded:
            return "before the first row"
        return "in the table" if recorded == self._paths.total() else "in the files"

    def check_stopped(self, folder: Path, counts: Counts) -> None:
        """See `Case`."""
        journal = folder / "views.parquet.journal"
        if journal.exists() and journal.stat().st_size:
            with closing(sqlite3.connect(journal)) as db:
                (said,) = db.execute("PRAGMA integrity_check").fetchone()
            counts.check(said == "ok", f"the journal is damaged: {said}")
        for name in ("views.parquet", "views.failures.csv"):
            if (folder / name).exists():
                is_same = (folder / name).read_bytes() == (self._whole / name).read_bytes()
                counts.check(is_same or journal.exists(), f"{name} is not complete")
        if (folder / "views.parquet").exists():
            with_table = pq.read_table(folder / "views.parquet")
            counts.check(with_table.num_columns > 10, "the table has no columns")

    def check_complete(self, folder: Path, counts: Counts) -> None:
        """See `Case`."""
        found = Counter(row_paths(folder))
        lost, doubled = self._paths - found, found - self._paths
        counts.seen["lost"] += lost.total()
        counts.seen["doubled"] += doubled.total()
        counts.check(not lost and not doubled, f"lost {lost}, doubled {doubled}")
        for name in ("views.parquet", "views.failures.csv"):
            is_same = (folder / name).read_bytes() == (self._whole / name).read_bytes()
            counts.check(is_same, f"{name} differs from that of an undisturbed run")
        counts.check(
            summary_of(folder) == summary_of(self._whole), f"the summary is {summary_of(folder)}"
        )
        left = sorted(path.name for path in folder.iterdir())
        counts.check(len(left) == 3, f"the folder holds {left}")

    def check_changed(self, folder: Path, changed: set[str], counts: Counts) -> None:
        """See `Case`."""
        found = Counter(row_paths(folder))
        below = Counter(path for path in found if path not in self._paths)  # of a folder now
        counts.check(found.total() == len(found), "a file has two outcomes")
        counts.check(not below, f"{below} were not in the archive")
        lost = self._paths.keys() - found.keys() - changed
        counts.check(not lost, f"lost {lost}, which were not changed")
        before, after = rows_in(self._whole), rows_in(folder)
        differing = {path for path in before if after.get(path) != before[path]} - changed
        counts.check(not differing, f"{differing} differ, which were not changed")
        counts.seen["changes seen"] += sum(before[path] != after.get(path) for path in changed)

    def kibibytes(self) -> int:
        """See `Case`; the journal is larger than the table."""
        return 8 * size_kib(self._whole)


def row_paths(folder: Path, name: str = "views") -> list[str]:
    """Return the paths of all rows and failures of a result."""
    rows = pq.read_table(folder / f"{name}.parquet", columns=["path"])["path"].to_pylist()
    with (folder / f"{name}.failures.csv").open(newline="", encoding="utf-8") as file:
        return rows + [row["path"] for row in csv.DictReader(file)]


def rows_in(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the rows and failures of a result by path."""
    rows = pq.read_table(folder / "views.parquet").to_pylist()
    with (folder / "views.failures.csv").open(newline="", encoding="utf-8") as file:
        return {row["path"]: row for row in [*rows, *csv.DictReader(file)]}


def size_kib(folder: Path) -> int:
    """Return the size of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) >> 10


def summary_of(folder: Path) -> dict[str, Any]:
    """Return the summary of a result without its duration."""
    facts = json.loads((folder / "views.summary.json").read_text())
    return {name: value for name, value in facts.items() if name != "seconds"}


def journal_rows(folder: Path) -> int:
    """Return how many outcomes the journal of a stopped run holds."""
    journal = folder / "views.parquet.journal"
    if not journal.exists():
        return 0
    with closing(sqlite3.connect(journal)) as db, suppress(sqlite3.OperationalError):
        (count,) = db.execute("SELECT count(*) FROM outcome").fetchone()
        return int(count)
    return 0


class Writeback:
    """`cxrview writeback`, into corrected copies."""

    name = "writeback"
    codes = (0,)

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._table = bench.folder / "views.parquet"
        bench.run("classify", "archive", "--out", self._table)
        self._whole, self.startup, self.working = measure(self, bench)
        self._copies = copies_in(self._whole)
        if len(self._copies) < 10:
            raise RuntimeError(f"{len(self._copies)} copies are too few")

    def start(self, folder: Path, **more: Any) -> "subprocess.Popen[bytes]":
        """See `Case`; --resume needs a journal."""
        resume = ["--resume"] if self.has_begun(folder) else []
        command = ["writeback", self._table, "--out", folder / "copies", *resume]
        return self._bench.start(*command, **more)

    def has_begun(self, folder: Path) -> bool:
        """See `Case`."""
        return (folder / "copies.writeback-journal").exists()

    def is_complete(self, folder: Path) -> bool:
        """See `Case`."""
        return (folder / "copies.summary.json").exists() and not self.has_begun(folder)

    def stage(self, folder: Path) -> str:
        """See `Case`."""
        if self.is_complete(folder):
            return "when all was written"
        if not self.has_begun(folder):
            return "before the first copy"
        lines = (folder / "copies.writeback-journal").read_bytes().count(b"\n")
        return "in the lists" if lines > len(self._copies) else "in the copies"

    def check_stopped(self, folder: Path, counts: Counts) -> None:
        """See `Case`."""
        for name, content in copies_in(folder).items():
            if not name.endswith(".part"):
                counts.check(content == self._copies.get(name), f"{name} is not complete")

    def check_complete(self, folder: Path, counts: Counts) -> None:
        """See `Case`."""
        copies = copies_in(folder)
        counts.seen["lost"] += len(self._copies.keys() - copies.keys())
        counts.seen["doubled"] += len(copies.keys() - self._copies.keys())
        counts.check(copies == self._copies, "the copies differ from those of an undisturbed run")
        times = {time for path in files_in(folder) for time in TIME.findall(path.read_bytes())}
        counts.check(len(times) == 1, f"the copies name {len(times)} times")
        counts.check(
            changes_in(folder) == changes_in(self._whole), "the list of changes is another one"
        )
        left = sorted(path.name for path in folder.iterdir())
        counts.check(len(left) == 5, f"the folder holds {left}")

    def check_changed(self, folder: Path, changed: set[str], counts: Counts) -> None:
        """See `Case`."""
        with (folder / "copies.failures.csv").open(newline="", encoding="utf-8") as file:
            refused = {row["path"] for row in csv.DictReader(file)}
        refused = {os.path.relpath(path, self._bench.folder) for path in refused}
        copies = copies_in(folder)
        for name, content in self._copies.items():
            source = f"archive{name.removeprefix('copies')}"
            is_written = copies.get(name) == content
            counts.check(is_written != (source in refused), f"{source}: {is_written}, {refused}")
        counts.check(copies.keys() <= self._copies.keys(), "there are other copies")
        counts.check(refused <= changed, f"{refused - changed} were refused")
        counts.seen["changes seen"] += len(refused)

    def kibibytes(self) -> int:
        """See `Case`."""
        return size_kib(self._whole)


def files_in(folder: Path) -> list[Path]:
    """Return all files among the copies."""
    return sorted(path for path in (folder / "copies").rglob("*") if path.is_file())


def copies_in(folder: Path) -> dict[str, bytes]:
    """Return the copies by name, without the time at which they were made."""
    return {
        str(path.relative_to(folder)): TIME.sub(b"TIME", path.read_bytes())
        for path in files_in(folder)
    }


def changes_in(folder: Path) -> str:
    """Return the list of changes without the name of the folder."""
    return (folder / "copies.changes.csv").read_text().replace(str(folder), "FOLDER")


CASES: dict[str, type[Any]] = {"classify": Classify, "writeback": Writeback}
