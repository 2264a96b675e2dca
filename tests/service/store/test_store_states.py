"""Any sequence of what the service does, with crashes in between, keeps every image once."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from cxrview.service.records import Arrival, Form, ImageState, PlannedDelivery, Result
from cxrview.service.store import Store

DESTINATIONS = ("pacs", "web")
MOST_TRIES = 2
settled_states = st.sampled_from([one for one in ImageState if one is not ImageState.WAITING])


class Clock:
    """A clock that the machine moves; the wall clock may also jump back."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


class StoreMachine(RuleBasedStateMachine):
    """The store beside a model of it: sets of contents and lists of deliveries."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.wall, self.monotonic = Clock(), Clock()
        self.store = self.opened()
        self.images: dict[int, ImageState] = {}
        self.contents: dict[bytes, int] = {}
        self.forgotten = 0
        self.deliveries = {"stored": 0, "dead": 0}
        self.to_be_stored = 0
        self.repeated = 0
        self.undelivered: set[int] = set()

    def opened(self) -> Store:
        return Store(self.folder / "queue", now=self.wall, monotonic=self.monotonic)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @rule(number=st.integers(0, 6))
    def accept(self, number: int) -> None:
        content = bytes([number]) * 10
        part = self.store.new_part()
        part.write_bytes(content)
        receipt = self.store.accept(part, "dicom", "CR1")
        assert (receipt.arrival is Arrival.REPEATED) == (content in self.contents)
        if content in self.contents:
            assert receipt.image_id == self.contents[content]
            self.repeated += 1
        else:
            self.contents[content] = receipt.image_id
            self.images[receipt.image_id] = ImageState.WAITING

    @rule(
        most=st.integers(1, 3),
        state=settled_states,
        to=st.sets(st.sampled_from(DESTINATIONS)),
        has_rule=st.booleans(),
        releases=st.booleans(),
    )
    def classify(self, most, state, to, has_rule, releases) -> None:
        for image in self.store.next_to_classify(most):
            assert self.images[image.id] is ImageState.WAITING
            assert image.path.read_bytes() in self.contents
            if releases:
                self.store.release(image.id)
                continue
            planned = tuple(PlannedDelivery(destination=one, form=Form.ORIGINAL) for one in to)
            is_covered = has_rule or bool(planned)
            result = Result(
                state=state,
                row={"view": None},
                rule="any" if is_covered else None,
                deliveries=planned,
            )
            self.store.record_outcomes({image.id: result})
            self.images[image.id] = state
            if not is_covered:
                self.undelivered.add(image.id)
            self.to_be_stored += len(planned)

    @rule(most=st.integers(1, 3))
    def claim_and_forget(self, most: int) -> None:
        """Images in the hands of a process that will crash before it records them."""
        self.store.next_to_classify(most)

    @rule(destination=st.sampled_from(DESTINATIONS), fails=st.booleans(), most=st.integers(1, 4))
    def deliver(self, destination: str, fails: bool, most: int) -> None:
        due = self.store.next_to_deliver(destination, most)
        assert len({one.id for one in due}) == len(due)
        assert [one.tries > 0 for one in due] == sorted(one.tries > 0 for one in due)
        for one in due:
            assert one.path.exists()
            if not fails:
                self.store.submit_stored(one).result()
                self.deliveries["stored"] += 1
                self.to_be_stored -= 1
            elif (
                self.store.record_failed(one, "refused", wait_seconds=10, most_tries=MOST_TRIES)
                == "dead"
            ):
                self.deliveries["dead"] += 1
                self.to_be_stored -= 1

    @rule()
    def retry(self) -> None:
        number = self.store.retry_dead_letters()
        assert number == self.deliveries["dead"]
        self.deliveries["dead"] = 0
        self.to_be_stored += number

    @rule(seconds=st.floats(0, 100), jump=st.floats(-1000, 1000))
    def pass_time(self, seconds: float, jump: float) -> None:
        self.monotonic.seconds += seconds
        self.wall.seconds += seconds + jump

    @rule()
    def crash_and_reopen(self) -> None:
        """A process that is killed closes nothing; unfinished files stay behind."""
        self.store.new_part().write_bytes(b"half")
        orphan = self.folder / "queue" / "objects" / ("00" * 32)
        orphan.write_bytes(b"complete, but not entered")
        crashed, self.store = self.store, self.opened()
        assert self.store.recover() == 2
        crashed.close()

    @precondition(lambda self: self.images)
    @rule()
    def forget(self) -> None:
        self.wall.seconds += 5000
        removed = self.store.forget(1000)
        kept = set()
        for path in (self.folder / "queue" / "objects").iterdir():
            kept.add(path.read_bytes())
        gone = [content for content in self.contents if content not in kept]
        assert len(gone) == removed
        for content in gone:
            image = self.contents.pop(content)
            assert self.images[image] is not ImageState.WAITING
            assert image not in self.undelivered
        self.forgotten += removed

    @invariant()
    def counts_add_up(self) -> None:
        counts = self.store.counts()
        assert counts.adds_up
        assert counts.received == len(self.images)
        assert counts.repeated == self.repeated
        for state in ImageState:
            expected = sum(one is state for one in self.images.values())
            assert getattr(counts, state.value) == expected, state
        assert counts.stored == self.deliveries["stored"]
        assert counts.dead == self.deliveries["dead"] == len(self.store.dead_letters())
        assert counts.to_be_stored == self.to_be_stored
        assert counts.undelivered == len(self.undelivered)

    @invariant()
    def objects_are_those_of_the_ledger(self) -> None:
        found = {p.read_bytes() for p in (self.folder / "queue" / "objects").iterdir()}
        assert found == set(self.contents)


TestStoreMachine = StoreMachine.TestCase
TestStoreMachine.settings = settings(max_examples=10, stateful_step_count=25, deadline=None)
