"""A disk that is full is named, also where it is that of the temporary files."""

import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cxrview.errors import RunStopped
from cxrview.records.classification import Instance, Prediction
from cxrview.results.columns import prediction_row
from cxrview.results.concat import concat_results
from cxrview.results.files import Outputs
from cxrview.results.journal_errors import temporary_folder
from cxrview.results.known_paths import KnownPaths
from cxrview.results.tables import write_failures, write_summary, write_table
from cxrview.terms import Decision

LONG = "/" + "/".join(["n" * 250] * 15)


@pytest.fixture
def table(tmp_path) -> Path:
    """A result whose paths alone are more than SQLite holds in memory."""
    table = tmp_path / "a.parquet"
    skipped = (
        Prediction(instance=Instance(path=f"{LONG}/{k}", content_id="0"), decision=Decision.SKIPPED)
        for k in range(12_000)
    )
    write_table(table, map(prediction_row, skipped))
    write_failures(tmp_path / "a.failures.csv", [])
    facts = {"conditions": {}, "is_complete": True, "named_again": 0, "seconds": 1.0}
    write_summary(tmp_path / "a.summary.json", facts)
    return table


@pytest.fixture
def no_large_file(table) -> Iterator[None]:
    """As a full disk: no file, temporary ones included, may get longer than a mebibyte."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("no_large_file")
def test_no_room_for_known_paths_names_the_folder(table):
    with pytest.raises(RunStopped, match="Temporary files are in .* MB free.*SQLITE_TMPDIR"):
        KnownPaths([table])


@pytest.mark.usefixtures("no_large_file")
def test_no_room_to_join_results_names_the_folder_too(table, tmp_path):
    with pytest.raises(RunStopped, match="Temporary files are in .*SQLITE_TMPDIR"):
        concat_results([table], Outputs(table=tmp_path / "joined.csv"))


def test_the_folder_is_the_one_that_sqlite_takes(tmp_path):
    """Seen from outside: the file has no name there any more, but is open."""
    db = sqlite3.connect("")
    db.execute("PRAGMA cache_size = 1")
    db.execute("CREATE TABLE t AS SELECT randomblob(100000)")
    links = Path("/proc/self/fd").iterdir()
    opened = [str(link.readlink()) for link in links if link.is_symlink()]

    assert any(path.startswith(f"{temporary_folder()}/etilqs_") for path in opened)
    db.close()


def test_a_folder_that_may_not_be_written_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    assert temporary_folder() == tmp_path
