"""One destination: what it refuses, and that it does not answer, are two different things."""

import time
from collections.abc import Sequence

import pytest

from cxrview.service.configuration import CorrectionOptions, DestinationSettings
from cxrview.service.delivery.deliverer import Deliverer
from cxrview.service.delivery.products import CannotMakeNow, Products
from cxrview.service.delivery.sender import Answer, DestinationDown, OutgoingObject
from cxrview.service.records import Form, ImageState, PlannedDelivery, Result
from cxrview.service.store import Store

SETTINGS = DestinationSettings(
    host="127.0.0.1", port=104, ae_title="PACS", tries=2, first_wait_seconds=0.01
)


class Archive:
    """A destination in memory."""

    def __init__(self) -> None:
        self.stored: list[str] = []
        self.refused: set[str] = set()
        self.down = ""

    def send(self, objects: Sequence[OutgoingObject]):
        for one in objects:
            if self.down:
                raise DestinationDown(self.down)
            is_refused = one.sop_instance_uid in self.refused
            if not is_refused:
                self.stored.append(one.sop_instance_uid)
            yield Answer(is_stored=not is_refused, reason="refused" if is_refused else "")

    def check(self) -> None:
        if self.down:
            raise DestinationDown(self.down)


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "queue")
    yield opened
    opened.close()


@pytest.fixture
def archive() -> Archive:
    return Archive()


@pytest.fixture
def deliverer(store, archive) -> Deliverer:
    products = Products(store.work_folder, CorrectionOptions())
    return Deliverer(store, "pacs", SETTINGS, archive, products)


def queue(store: Store, films, form=Form.ORIGINAL) -> None:
    for film in films:
        part = store.new_part()
        part.write_bytes(film.read_bytes())
        store.accept(part, "dicom")
        (image,) = store.next_to_classify(1)
        planned = (PlannedDelivery(destination="pacs", form=form),)
        result = Result(
            state=ImageState.REVIEW, row={"modality": "CR"}, rule="all", deliveries=planned
        )
        store.record_outcomes({image.id: result})


def test_deliver_due_counts_what_was_confirmed(store, archive, deliverer, films):
    queue(store, films[:3])

    assert deliverer.deliver_due() == 3
    assert (len(archive.stored), store.counts().stored) == (3, 3)
    assert deliverer.deliver_due() == 0


def test_deliver_due_goes_on_behind_a_refused_object(store, archive, deliverer, films):
    queue(store, films[:2])
    deliverer.deliver_due()
    archive.refused = set(archive.stored[:1])
    archive.stored.clear()
    store_again = films[2:4]
    queue(store, store_again)

    deliverer.deliver_due()

    assert len(archive.stored) == 2


def test_deliver_due_makes_a_dead_letter_after_the_last_try(store, archive, deliverer, films):
    queue(store, films[:2])
    uid = next(one.sop_instance_uid for one in objects_of(store, deliverer))
    archive.refused = {uid}

    deliverer.deliver_due()
    time.sleep(0.02)
    deliverer.deliver_due()

    counts = store.counts()
    assert (counts.stored, counts.dead, counts.to_be_stored) == (1, 1, 0)
    (letter,) = store.dead_letters()
    assert (letter.tries, letter.reason) == (2, "refused")
    archive.refused = set()
    store.retry_dead_letters()
    deliverer.deliver_due()
    assert store.counts().stored == 2


def objects_of(store, deliverer):
    """What is due, as objects."""
    products = Products(store.work_folder, CorrectionOptions())
    for delivery in store.next_to_deliver("pacs", 10):
        with products.made(delivery) as one:
            yield one


def test_a_destination_that_does_not_answer_uses_up_no_tries(store, archive, deliverer, films):
    queue(store, films[:2])
    archive.down = "it does not answer"

    for _ in range(5):
        with pytest.raises(DestinationDown):
            deliverer.deliver_due()

    assert [one.tries for one in store.next_to_deliver("pacs", 10)] == [0, 0]


def test_run_says_that_a_destination_fails_and_works_again(store, archive, deliverer, films):
    archive.down = "it does not answer"
    queue(store, films[:1])
    deliverer.start()
    wait_until(lambda: "pacs" in store.counts().destinations)
    wait_until(lambda: store.counts().destinations["pacs"].failing_since is not None)

    archive.down = ""
    wait_until(lambda: store.counts().stored == 1)
    wait_until(lambda: store.counts().destinations["pacs"].failing_since is None)
    deliverer.stop()
    deliverer.join(10)

    assert not deliverer.is_alive()


def test_an_answer_ends_a_failure_that_an_earlier_process_noted(store, deliverer, films):
    queue(store, films[:1])
    store.note_destination("pacs", "it does not answer")

    deliverer.deliver_due()

    assert store.counts().destinations["pacs"].failing_since is None


def test_a_report_that_cannot_be_made_is_a_dead_letter_at_once(store, archive, deliverer, films):
    queue(store, films[:1], Form.SR)

    deliverer.deliver_due()

    (letter,) = store.dead_letters()
    assert (letter.tries, archive.stored) == (1, [])


def test_an_internal_error_costs_one_delivery_a_try(store, archive, deliverer, films, monkeypatch):
    queue(store, films[:2])
    broken = store.next_to_deliver("pacs", 1)[0].path
    make = Products._make

    def fail(self, delivery):
        if delivery.path == broken:
            raise ZeroDivisionError
        return make(self, delivery)

    monkeypatch.setattr(Products, "_make", fail)

    assert deliverer.deliver_due() == 1
    counts = store.counts()
    assert (counts.stored, counts.to_be_stored) == (1, 1)


def test_what_cannot_be_made_now_is_tried_again(store, archive, deliverer, films, monkeypatch):
    queue(store, films[:1])

    def fail(self, delivery):
        raise CannotMakeNow("its object cannot be read now")

    with monkeypatch.context() as patched:
        patched.setattr(Products, "_make", fail)
        assert deliverer.deliver_due() == 0
    assert (store.counts().to_be_stored, store.counts().dead) == (1, 0)
    time.sleep(0.02)

    assert deliverer.deliver_due() == 1


def wait_until(holds) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
