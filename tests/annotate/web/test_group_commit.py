import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cxrview.annotate.web.group_commit import GroupCommitWriter
from cxrview.records.annotation import Reading
from cxrview.terms import Action, ReadingRound


@pytest.fixture
def reading(served):
    return Reading(
        uid="0" * 32,
        reader_id=1,
        image_id=served.store.images()[0].image_id,
        round=ReadingRound.BLIND,
        act=Action.LABEL,
        label="frontal",
        made=datetime.now(UTC),
    )


class Slow:
    """The study's store, on a disk that lets itself be waited for."""

    def __init__(self, store):
        self.store = store
        self.may_write = threading.Event()
        self.batches = []

    def add_readings(self, readings):
        self.may_write.wait(60)
        self.batches.append(len(readings))
        return self.store.add_readings(readings)


def write_all(pen, pages):
    """Write every page in a thread of its own; those that failed."""
    failed = []

    def write(page):
        try:
            pen.write(page)
        except ValueError:
            failed.append(page)

    threads = [threading.Thread(target=write, args=[page]) for page in pages]
    for thread in threads:
        thread.start()
    return threads, failed


def test_those_who_wait_together_are_written_together(served, reading):
    slow = Slow(served.store)
    pages = [[replace(reading, uid=f"{n:032x}")] for n in range(10)]
    pen = GroupCommitWriter(slow)
    threads, _ = write_all(pen, pages)
    while len(pen._waiting) < 9:
        pass
    slow.may_write.set()
    for thread in threads:
        thread.join(60)

    assert sorted(slow.batches) == [1, 9]
    assert {one.uid for one in served.store.readings()} == {page[0].uid for page in pages}


def test_one_that_cannot_be_written_costs_no_other(served, reading):
    slow = Slow(served.store)
    bad = replace(reading, uid="f" * 32, image_id="nobody's")
    pages = [[replace(reading, uid=f"{n:032x}")] for n in range(9)] + [[bad]]
    pen = GroupCommitWriter(slow)
    threads, failed = write_all(pen, pages)
    while len(pen._waiting) < 9:
        pass
    slow.may_write.set()
    for thread in threads:
        thread.join(60)

    assert failed == [[bad]]
    assert len(list(served.store.readings())) == 9
