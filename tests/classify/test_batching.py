"""How many radiographs go to the network together: as many as its being busy lets gather."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.classify.batching import LONGEST_WAIT, Batcher
from cxrview.classify.engine import classify_files
from cxrview.classify.options import ClassifyOptions
from cxrview.classify.wire import DecodedImage
from cxrview.records.classification import Failure, Instance

MAX_BATCH = 4
INSTANCE = Instance(path="a", content_id="1")
PICTURE = DecodedImage(instance=INSTANCE, warnings=(), pixels=np.zeros((2, 2), np.uint8))
SKIPPED = DecodedImage(instance=INSTANCE, warnings=(), skip_reason="ct")
FAILED = Failure(path="c", code="truncated", reason="it ends early", advice="")


def gathered(*outcomes) -> Batcher:
    gathering = Batcher(MAX_BATCH)
    for outcome in outcomes:
        gathering.add(outcome)
    return gathering


def test_an_idle_network_gets_the_first_radiograph_at_once():
    assert gathered(FAILED, PICTURE).is_due(is_idle=True, is_still=False)


@pytest.mark.parametrize("is_still", [False, True])
def test_while_it_is_busy_a_batch_gathers(is_still):
    assert not gathered(*[PICTURE] * (MAX_BATCH - 1)).is_due(is_idle=False, is_still=is_still)
    assert gathered(*[PICTURE] * MAX_BATCH).is_due(is_idle=False, is_still=is_still)


def test_what_nobody_need_answer_goes_on_when_nothing_comes_or_when_it_has_grown_long():
    few, many = gathered(SKIPPED, FAILED), gathered(*[SKIPPED, FAILED] * (LONGEST_WAIT // 2))

    assert not few.is_due(is_idle=True, is_still=False)
    assert few.is_due(is_idle=False, is_still=True)
    assert many.is_due(is_idle=False, is_still=False)


def test_nothing_is_never_due():
    assert not gathered().is_due(is_idle=True, is_still=True)


@given(
    st.lists(st.tuples(st.sampled_from([PICTURE, SKIPPED, FAILED, None]), st.booleans())),
)
def test_everything_goes_out_once_in_order_and_in_no_batch_that_is_too_large(events):
    """None: nothing came for a while."""
    gathering, batches = Batcher(MAX_BATCH), []
    for outcome, is_idle in events:
        if outcome:
            gathering.add(outcome)
        if gathering.is_due(is_idle=is_idle, is_still=outcome is None):
            batches.append(gathering.take())
    batches.append(gathering.take())

    assert [id(one) for batch in batches for one in batch] == [id(o) for o, _ in events if o]
    assert all(sum(one is PICTURE for one in batch) <= MAX_BATCH for batch in batches)
    assert all(batches[:-1])


def test_a_busy_network_is_asked_about_several_and_an_idle_one_about_one(draw, model):
    """One thread asks, which is held up by the first picture until all others have been read."""
    import threading

    sizes, have_come = [], threading.Semaphore(0)

    class Slow(type(model.backend)):
        lanes = 1

        def run(self, batch):
            if not sizes:
                for _ in paths:
                    have_come.acquire(timeout=60)
            sizes.append(len(batch))
            return super().run(batch)

    paths = [draw(f"{number}.png", 10 * number) for number in range(9)]
    slow = type(model)(card=model.card, backend=Slow())

    outcomes = list(
        classify_files(
            paths,
            slow,
            ClassifyOptions(workers=2),
            on_read=lambda path, seconds: have_come.release(),
        )
    )

    assert [one.instance.path for one in outcomes] == paths
    assert sizes[0] == 1
    assert max(sizes) > 1
