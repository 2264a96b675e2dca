import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cxrview.errors import UsageError
from cxrview.records import Instance, Prediction
from cxrview.store.journal import Journal, count_recorded
from cxrview.terms import Decision


def test_files_without_a_digest_are_no_copies_of_each_other():
    """Of distant files that were read in part nobody knows whether they are."""
    journal = Journal(None, {})
    paths = [f"s3://films/{k}.dcm" for k in range(3)]
    list(journal.still_to_do(paths))

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
