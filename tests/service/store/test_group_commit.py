"""Changes by many threads: they share commits, and each fails alone or with its commit."""

import threading
import time

import pytest

from cxrview.service.store.group_commit import GroupCommit
from cxrview.service.store.ledger import Ledger


class Disk:
    """What is to be on the disk before a commit; it can be held up, and can fail."""

    def __init__(self) -> None:
        self.commits = 0
        self.error: Exception | None = None
        self.is_reached, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    def before_commit(self) -> None:
        self.commits += 1
        self.is_reached.set()
        assert self.goes_on.wait(30)
        if self.error:
            raise self.error


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def changes(tmp_path, disk):
    opened = GroupCommit(
        Ledger(tmp_path / "ledger.sqlite"), disk.before_commit, lambda error: error
    )
    yield opened
    disk.goes_on.set()
    opened.close()


def add(name: str):
    return lambda ledger: ledger._add(name)


def totals(tmp_path) -> dict[str, int]:
    """Those that another process sees."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    found = dict(ledger.connection.execute("SELECT name, number FROM totals"))
    ledger.close()
    return found


def test_a_change_is_on_the_disk_when_its_future_is_done(changes, tmp_path):
    changes.submit(add("one")).result(30)

    assert totals(tmp_path) == {"one": 1}


def test_changes_that_wait_share_a_commit(changes, disk, tmp_path):
    disk.goes_on.clear()
    first = changes.submit(add("one"))
    assert disk.is_reached.wait(30)
    others = [changes.submit(add("one")) for _ in range(9)]
    disk.goes_on.set()

    for one in (first, *others):
        one.result(30)

    assert (disk.commits, totals(tmp_path)) == (2, {"one": 10})


def test_a_change_that_fails_is_undone_alone(changes, disk, tmp_path):
    def fail(ledger) -> None:
        ledger._add("wrong")
        raise ZeroDivisionError

    disk.goes_on.clear()
    first = changes.submit(add("one"))
    assert disk.is_reached.wait(30)
    wrong, last = changes.submit(fail), changes.submit(add("one"))
    disk.goes_on.set()

    first.result(30)
    last.result(30)
    with pytest.raises(ZeroDivisionError):
        wrong.result(30)
    assert (disk.commits, totals(tmp_path)) == (2, {"one": 2})


def test_a_commit_that_fails_undoes_all_its_changes(changes, disk, tmp_path):
    undone = []
    disk.error = OSError("full")
    failed = changes.submit(lambda ledger: ledger._add("one") or 7, undo=undone.append)
    with pytest.raises(OSError, match="full"):
        failed.result(30)

    disk.error = None
    changes.submit(add("two"), undo=undone.append).result(30)

    assert (undone, totals(tmp_path)) == ([7], {"two": 1})


def test_after_is_called_before_a_later_change(changes, disk):
    steps = []
    disk.goes_on.clear()
    first = changes.submit(lambda _: steps.append("first"), after=lambda _: steps.append("after"))
    assert disk.is_reached.wait(30)
    second = changes.submit(lambda _: steps.append("second"))
    disk.goes_on.set()
    first.result(30)
    second.result(30)

    assert steps == ["first", "after", "second"]


def test_an_error_in_after_reaches_its_caller_only(changes):
    def fail(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        changes.submit(add("one"), after=fail).result(30)

    assert changes.submit(lambda _: 5).result(30) == 5


def test_close_carries_out_what_was_handed_in(changes, disk, tmp_path):
    disk.goes_on.clear()
    handed_in = [changes.submit(add("one")) for _ in range(3)]
    closing = threading.Thread(target=changes.close)
    closing.start()
    time.sleep(0.05)
    disk.goes_on.set()
    closing.join(30)

    assert all(one.done() and not one.exception() for one in handed_in)
    assert totals(tmp_path) == {"one": 3}
    assert changes.submit(add("late")).exception(30)
