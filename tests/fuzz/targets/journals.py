"""Journals of runs that were interrupted: of `classify` in SQLite, of `writeback` in JSON lines."""

import tempfile
from functools import cache
from pathlib import Path

from cxrview.errors import CxrviewError
from cxrview.records.classification import Failure
from cxrview.results.journal import Journal
from cxrview.writeback.journal import WritebackJournal

CONDITIONS = {"model": "drawn-1", "reader": "fast"}
PATHS = tuple(f"/archive/{number}" for number in range(20))


@cache
def seeds() -> tuple[bytes, ...]:
    """A journal of each kind with finished files."""
    failures = [Failure(path=path, code="truncated", reason="r", advice="a") for path in PATHS[:10]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "classify"
        journal = Journal(path, CONDITIONS)
        assert len(list(journal.unfinished(PATHS))) == len(PATHS)
        journal.record(failures)
        journal.close()
        lines = WritebackJournal.create(Path(folder) / "writeback", CONDITIONS)
        lines.record(failures)
        lines.close()
        deep = b"[" * 100_000 + b"\n"
        return (path.read_bytes(), (Path(folder) / "writeback").read_bytes(), deep)


def check(data: bytes) -> None:
    """Resume from both: the outcomes, or an error that says that it is not a journal."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        path.write_bytes(data)
        try:
            lines = WritebackJournal.resume(path)
        except CxrviewError as error:
            assert error.reason
        else:
            lines.close()
        path.write_bytes(data)
        try:
            _resume(path)
        except CxrviewError as error:
            assert error.reason


def _resume(path: Path) -> None:
    journal = Journal(path, CONDITIONS)
    try:
        left = list(journal.unfinished(PATHS))
        assert set(left) <= set(PATHS)
        journal.counts()
        list(journal.rows())
        list(journal.failures())
    finally:
        journal.close()
