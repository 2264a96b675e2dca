"""The store alone: what arrives is kept once, and every change survives another process."""

import errno
import os
import stat
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from cxrview.errors import CannotWrite
from cxrview.service.records import (
    Arrival,
    DeliveryState,
    Form,
    ImageState,
    PlannedDelivery,
    Result,
)
from cxrview.service.store import Store, objects

TO_PACS = (PlannedDelivery(destination="pacs", form=Form.ORIGINAL),)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path, clock):
    opened = Store(tmp_path / "queue", now=clock, monotonic=clock)
    yield opened
    opened.close()


def accept(store: Store, content: bytes):
    part = store.new_part()
    part.write_bytes(content)
    receipt = store.accept(part, "dicom", "CR1")
    assert not part.exists()
    return receipt


def settle(store: Store, deliveries=TO_PACS, state=ImageState.CLASSIFIED, rule="all"):
    (image,) = store.next_to_classify(1)
    result = Result(state=state, row={"view": "frontal"}, rule=rule, deliveries=deliveries)
    store.record_outcomes({image.id: result})
    return image


def test_accept_keeps_the_bytes_and_the_sender(store, films):
    receipt = accept(store, films[0].read_bytes())

    (image,) = store.next_to_classify(10)
    assert receipt.arrival is Arrival.NEW
    assert (image.id, image.entrance, image.sender) == (receipt.image_id, "dicom", "CR1")
    assert image.modality in ("CR", "DX")
    assert image.path.read_bytes() == films[0].read_bytes()


def test_accept_knows_the_same_image_with_another_meta_header(store, films):
    content = films[0].read_bytes()
    first = accept(store, content)

    again = accept(store, b"x" * 128 + content[128:])

    assert (again.arrival, again.image_id) == (Arrival.REPEATED, first.image_id)
    assert (store.counts().received, store.counts().repeated) == (1, 1)


def test_accept_keeps_other_content_under_the_same_uid(store, films):
    content = films[0].read_bytes()
    accept(store, content)

    other = accept(store, content[:-1] + bytes([content[-1] ^ 1]))

    assert other.arrival is Arrival.CONFLICTING
    assert (store.counts().received, store.counts().conflicting) == (2, 1)
    assert len(store.next_to_classify(10)) == 2


def test_accept_keeps_what_is_not_dicom(store):
    assert accept(store, b"not DICOM").arrival is Arrival.NEW
    assert accept(store, b"not DICOM").arrival is Arrival.REPEATED


def test_accept_refuses_while_the_reserve_is_not_free(tmp_path):
    store = Store(tmp_path / "queue", min_free_bytes=1 << 60)
    with pytest.raises(CannotWrite):
        accept(store, b"any")

    assert store.counts().received == 0
    assert [path for path in (tmp_path / "queue" / "parts").iterdir()] == []


def test_accept_returns_after_object_name_and_row_are_on_the_disk(store, films, monkeypatch):
    steps = []
    monkeypatch.setattr(os, "fsync", lambda handle: steps.append(kind_of(handle)))
    store._changes._ledger.connection.set_trace_callback(steps.append)

    accept(store, films[0].read_bytes())
    steps.append("accepted")

    first = [steps.index(step) for step in ("file", "folder", "COMMIT", "accepted")]
    assert first == sorted(first)
    assert "folder" not in steps[steps.index("COMMIT") :]


def kind_of(handle: int) -> str:
    return "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"


def test_accept_keeps_nothing_if_the_disk_fails_before_the_commit(store, films, monkeypatch):
    def fail(folder) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(objects, "sync_folder", fail)
        with pytest.raises(CannotWrite):
            accept(store, films[0].read_bytes())

    assert store.counts().received == 0
    assert [one for one in store._objects.digests()] == []
    assert accept(store, films[0].read_bytes()).arrival is Arrival.NEW


def test_an_outcome_that_cannot_be_recorded_leaves_the_others_recorded(store):
    """It is no CannotWrite, after which the same would be recorded again, without end."""
    ids = [accept(store, content).image_id for content in (b"one", b"two", b"three")]
    rows = ({"view": "frontal"}, {"view": object()}, {"view": "lateral"})
    results = {
        image_id: Result(state=ImageState.CLASSIFIED, row=row, rule="all", deliveries=TO_PACS)
        for image_id, row in zip(ids, rows, strict=True)
    }

    with pytest.raises(TypeError):
        store.record_outcomes(results)

    assert (store.counts().classified, store.counts().waiting) == (2, 1)


def test_accept_by_many_threads_keeps_each_image_once(store, films):
    contents = [film.read_bytes() for film in films[:4]] * 4
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(lambda content: accept(store, content), contents))

    arrivals = Counter(one.arrival for one in receipts)
    assert arrivals == {Arrival.NEW: 4, Arrival.REPEATED: 12}
    assert (store.counts().received, store.counts().repeated) == (4, 12)
    for first, again in zip(receipts[:4], receipts[4:8], strict=True):
        assert first.image_id == again.image_id


def test_forget_keeps_an_object_that_is_received_again_in_the_same_commit(store, films, clock):
    content = films[0].read_bytes()
    accept(store, content)
    settle(store, ())
    clock.seconds += 100
    entered, waits = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        entered.set()
        waits.wait(30)

    held = store._changes.submit(hold)
    entered.wait(30)
    with ThreadPoolExecutor(2) as threads:
        forgotten = threads.submit(store.forget, 50)
        wait_until(lambda: len(store._changes._waiting) == 1)
        received = threads.submit(accept, store, content)
        wait_until(lambda: len(store._changes._waiting) == 2)
        waits.set()
        assert (forgotten.result(30), received.result(30).arrival) == (1, Arrival.NEW)

    held.result(30)
    (image,) = store.next_to_classify(5)
    assert image.path.read_bytes() == content


def wait_until(holds) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_next_to_classify_hands_out_an_image_once_until_it_is_released(store, films):
    for film in films[:3]:
        accept(store, film.read_bytes())

    first, second = store.next_to_classify(2)
    (third,) = store.next_to_classify(5)
    store.release(second.id)

    assert len({first.id, second.id, third.id}) == 3
    assert store.next_to_classify(5) == [second]


def test_next_to_deliver_puts_new_deliveries_before_one_that_failed(store, films, clock):
    for film in films[:3]:
        accept(store, film.read_bytes())
        settle(store)
    failed, *others = store.next_to_deliver("pacs", 10)
    store.record_failed(failed, "refused", wait_seconds=60, most_tries=3)

    assert [one.id for one in store.next_to_deliver("pacs", 10)] == [one.id for one in others]
    clock.seconds += 61
    due = store.next_to_deliver("pacs", 10)
    assert [(one.id, one.tries) for one in due] == [
        *((one.id, 0) for one in others),
        (failed.id, 1),
    ]


def test_record_failed_ends_in_a_dead_letter_that_can_be_retried(store, films, clock):
    accept(store, films[0].read_bytes())
    settle(store)
    states = []
    for _ in range(3):
        (delivery,) = store.next_to_deliver("pacs", 1)
        states.append(store.record_failed(delivery, "refused", wait_seconds=5, most_tries=3))
        clock.seconds += 5

    assert states == [DeliveryState.WAITING, DeliveryState.WAITING, DeliveryState.DEAD]
    assert store.next_to_deliver("pacs", 1) == []
    (letter,) = store.dead_letters()
    assert (letter.tries, letter.reason, store.counts().dead) == (3, "refused", 1)
    assert store.retry_dead_letters("other") == 0
    assert store.retry_dead_letters() == 1
    assert store.next_to_deliver("pacs", 1)[0].tries == 0


def test_submit_stored_is_counted_by_destination(store, films):
    accept(store, films[0].read_bytes())
    settle(store, (*TO_PACS, PlannedDelivery(destination="web", form=Form.SR)))
    store.submit_stored(store.next_to_deliver("pacs", 1)[0]).result()

    counts = store.counts()
    assert (counts.stored, counts.to_be_stored, counts.adds_up) == (1, 1, True)
    assert counts.destinations["pacs"].stored == counts.destinations["web"].waiting == 1


def test_a_crash_leaves_what_was_acknowledged_and_nothing_else(store, films, tmp_path):
    accept(store, films[0].read_bytes())
    orphan = tmp_path / "queue" / "objects" / ("ab" * 32)
    orphan.write_bytes(b"renamed, but not entered")
    store.new_part().write_bytes(b"half")

    again = Store(tmp_path / "queue")  # as after kill -9: the first was not closed

    assert again.recover() == 2
    (image,) = again.next_to_classify(10)
    assert image.path.read_bytes() == films[0].read_bytes()
    assert not orphan.exists()
    again.close()


def test_recover_removes_the_folder_of_a_report(store, tmp_path):
    folder = store.work_folder / "report"
    folder.mkdir()
    (folder / "half.dcm").touch()

    again = Store(tmp_path / "queue")  # as after kill -9

    assert again.recover() == 1
    assert list(again.work_folder.iterdir()) == []
    again.close()


def test_recover_finds_objects_in_the_folders_of_the_first_version(store, films, tmp_path):
    for film in films[:3]:
        accept(store, film.read_bytes())
    folder = tmp_path / "queue" / "objects"
    for path in list(folder.iterdir()):
        (folder / path.name[:2]).mkdir(exist_ok=True)
        path.rename(folder / path.name[:2] / path.name)

    again = Store(tmp_path / "queue")
    assert again.recover() == 0

    found = [image.path.read_bytes() for image in again.next_to_classify(5)]
    assert found == [film.read_bytes() for film in films[:3]]
    assert all(path.is_file() for path in folder.iterdir())
    again.close()


def test_an_image_that_was_claimed_is_classified_after_a_restart(store, films, tmp_path):
    accept(store, films[0].read_bytes())
    (claimed,) = store.next_to_classify(1)

    again = Store(tmp_path / "queue")

    assert again.next_to_classify(1) == [claimed]
    again.close()


def test_forget_removes_only_what_was_stored_or_needs_no_delivery(store, films, clock):
    for film, deliveries, rule in (
        (films[0], TO_PACS, "stored"),
        (films[1], TO_PACS, "not stored"),
        (films[2], (), "sent nowhere"),
        (films[3], (), None),
    ):
        accept(store, film.read_bytes())
        settle(store, deliveries, rule=rule)
    store.submit_stored(store.next_to_deliver("pacs", 1)[0]).result()
    before = store.counts()

    clock.seconds += 100
    assert store.forget(200) == 0
    assert store.forget(50) == 2
    after = store.counts()

    assert (after.received, after.classified, after.stored) == (4, 4, 1)
    assert (after.undelivered, after.adds_up) == (before.undelivered, True) == (1, True)
    assert accept(store, films[0].read_bytes()).arrival is Arrival.NEW
    assert accept(store, films[1].read_bytes()).arrival is Arrival.REPEATED


def test_hours_counts_the_current_hour_last(store, films, clock):
    accept(store, films[0].read_bytes())
    clock.seconds += 3600
    settle(store)
    store.submit_stored(store.next_to_deliver("pacs", 1)[0]).result()

    before, now = store.hours(2)

    assert (before.received, before.classified, before.stored) == (1, 0, 0)
    assert (now.received, now.classified, now.stored, now.failed) == (0, 1, 1, 0)
