import resource
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from cxrview.errors import CannotWrite, UsageError
from cxrview.records.classification import Instance, Prediction
from cxrview.results.journal import Journal
from cxrview.results.journal_file import count_recorded
from cxrview.terms import Decision


def test_files_without_a_digest_are_no_copies_of_each_other():
    """Of distant files that were read in part nobody knows whether they are."""
    journal = Journal(None, {})
    paths = [f"s3://films/{k}.dcm" for k in range(3)]
    list(journal.unfinished(paths))

    journal.record(
        Prediction(
            instance=Instance(path=path, content_id=""),
            pfi=None,
            decision=Decision.SKIPPED,
            view=None,
            model_id="m",
        )
        for path in paths
    )

    assert [(row["content_id"], row["warnings"]) for row in journal.rows()] == [(None, None)] * 3


def test_a_journal_that_is_removed_while_another_waits_for_it_is_not_used(tmp_path):
    path = tmp_path / "views.csv.journal"
    ending = Journal(path, {})

    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(Journal, path, {})
        time.sleep(0.3)
        ending.remove()
        with pytest.raises(UsageError, match="has just ended"):
            waiting.result()

    assert list(tmp_path.iterdir()) == []


def test_counting_does_not_wait_for_the_run_that_writes(tmp_path):
    path = tmp_path / "views.csv.journal"
    journal = Journal(path, {})
    began = time.monotonic()

    counted = count_recorded(path)

    assert counted == 0
    assert time.monotonic() - began < 1  # SQLite waits 5 s of its own
    journal.close()


@contextmanager
def a_full_disk():
    """No file may grow, as on a disk without room; SQLite cannot tell the two apart."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_a_journal_is_kept_and_nobody_is_told_to_overwrite_it(tmp_path):
    path = tmp_path / "views.csv.journal"
    Journal(path, {"model": "m"}).close()
    before = path.read_bytes()

    with a_full_disk(), pytest.raises(CannotWrite, match="Free disk space there.*--resume") as full:
        Journal(path, {"model": "m"})

    assert "--overwrite" not in str(full.value)
    assert path.read_bytes() == before
    Journal(path, {"model": "m"}).close()


def test_a_full_disk_gets_no_empty_journal(tmp_path):
    with a_full_disk(), pytest.raises(CannotWrite):
        Journal(tmp_path / "views.csv.journal", {"model": "m"})

    assert list(tmp_path.iterdir()) == []


def test_a_journal_in_use_is_not_to_be_overwritten(tmp_path):
    path = tmp_path / "views.csv.journal"
    journal = Journal(path, {})

    with pytest.raises(UsageError, match="nother run") as locked:
        Journal(path, {})

    assert "--overwrite" not in str(locked.value)
    journal.close()


def test_what_is_no_journal_is_replaced_when_asked(tmp_path):
    path = tmp_path / "views.csv.journal"
    path.write_bytes(b"no database" * 1000)

    with pytest.raises(UsageError, match="--overwrite"):
        Journal(path, {})
    anew = Journal(path, {}, overwrite=True)

    assert len(anew) == 0
    anew.close()


def test_the_seconds_are_those_of_all_runs(tmp_path):
    path = tmp_path / "views.csv.journal"
    journal = Journal(path, {})
    time.sleep(0.2)
    stopped = journal.seconds()
    journal.close()

    killed = Journal(path, {})
    time.sleep(0.2)
    killed.record([])
    killed.close()
    last = Journal(path, {})
    seconds, now = last.seconds(), last.seconds_now
    last.close()
    anew = Journal(path, {}, overwrite=True)

    assert stopped >= 0.2
    assert seconds >= stopped + 0.2 > now
    assert anew.seconds() < seconds
    anew.close()
