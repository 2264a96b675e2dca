"""Epochs: each image once, the same whenever, taken up again to the bit."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from cxrview.errors import UsageError
from cxrview.paper.candidates import FINE_TUNINGS, PRE_TRAININGS
from cxrview.paper.epochs import Batches, SplitPasses, Training, train_all_layers
from cxrview.train.checkpoint import steps_done
from cxrview.train.distributed import Processes
from cxrview.train.googlenet import GoogLeNet

PICTURES = np.random.default_rng(0).integers(0, 256, (5, 256, 256), np.uint8)


def batches(count: int = 5, **fields) -> Batches:
    return Batches(images=lambda k: PICTURES[k % 5], classes=np.arange(count) % 2, seed=3, **fields)


@given(count=st.integers(1, 60), batch=st.integers(1, 30), epoch=st.integers(0, 3))
def test_an_epoch_shows_every_image_once(count, batch, epoch):
    shown = batches(count, batch=batch)

    order = shown.order(epoch)

    assert sorted(order) == list(range(count))
    assert shown.steps == -(-count // batch)


def test_a_sampled_epoch_shows_other_images_each_time():
    shown = batches(1000, batch=10, per_epoch=50)

    first, second = set(shown.order(0)), set(shown.order(1))

    assert len(first) == len(second) == 50
    assert first != second
    assert shown.steps == 5


@given(
    count=st.integers(1, 60),
    batch=st.integers(1, 30),
    passes=st.integers(1, 3),
    epochs=st.integers(1, 30),
)
def test_spread_epochs_show_every_image_once_a_pass(count, batch, passes, epochs):
    assume(passes * count >= epochs)
    shown = batches(count, batch=batch, spread=SplitPasses(passes=passes, epochs=epochs))

    orders = [shown.order(epoch) for epoch in range(epochs)]

    together = np.concatenate(orders)
    for number in range(passes):
        assert sorted(together[number * count : (number + 1) * count]) == list(range(count))
    assert max(map(len, orders)) - min(map(len, orders)) <= 1
    assert -(-min(map(len, orders)) // batch) == shown.steps


def test_the_batches_of_spread_epochs_are_all_of_their_images():
    """11 images in 3 epochs of 2 batches: no image is left out, none comes twice."""
    shown = Batches(
        images=lambda k: PICTURES[k % 5],
        classes=np.arange(11),
        batch=2,
        seed=3,
        spread=SplitPasses(passes=1, epochs=3),
    )

    drawn = [shown.sample(epoch, step)[1] for epoch in range(3) for step in range(shown.steps)]

    assert sorted(np.concatenate(drawn)) == list(range(11))
    assert {len(classes) for classes in drawn} <= {1, 2}


def test_the_paper_s_augmented_images_are_a_30th_of_them_an_epoch():
    shown = batches(119_674, batch=24, spread=SplitPasses(passes=1, epochs=30))

    assert shown.steps == 167
    assert [len(shown.order(epoch)) for epoch in (0, 29)] == [3989, 3990]


def test_fewer_images_than_epochs_to_spread_them_over_are_refused():
    with pytest.raises(UsageError, match="5 images .* 6 epochs"):
        batches(5, batch=2, spread=SplitPasses(passes=1, epochs=6))


def test_a_batch_is_the_same_whenever_it_is_drawn():
    shown = batches(batch=2)
    first = shown.sample(1, 2)

    shown.sample(0, 0)

    again = batches(batch=2).sample(1, 2)
    assert np.array_equal(first[0], again[0])
    assert first[0].shape == (1, 224, 224)


@pytest.mark.parametrize("per_epoch", [None, 7])
def test_an_order_is_the_permutation_that_seed_and_epoch_draw(per_epoch):
    """Asked for in any order, of images of any number, it is drawn once and nobody changes it."""
    for epoch, count in [(0, 20), (1, 20), (0, 31), (0, 20), (2, 20), (1, 20), (3, 31), (0, 20)]:
        shown = batches(count, batch=4, per_epoch=per_epoch)
        drawn = np.random.default_rng([3, epoch]).permutation(count)[:per_epoch]

        assert np.array_equal(shown.order(epoch), drawn)
        assert np.array_equal(shown.sample(epoch, 1)[1], drawn[4:8] % 2)

    assert shown.order(0) is shown.order(0)
    with pytest.raises(ValueError, match="read-only"):
        shown.order(0)[0] = 1


def test_the_centre_is_shown_where_nothing_is_drawn():
    pixels, *_ = batches(batch=5, is_cropped_at_random=False).sample(0, 0)

    order = batches(batch=5).order(0)
    assert np.array_equal(pixels, PICTURES[order][:, 16:240, 16:240])


@pytest.mark.parametrize("count", [2, 3, 7])
def test_sample_of_all_processes_is_the_batch_of_one(count):
    """Also where some processes get no image, of the last batch of an epoch."""
    fetched = []

    for step in (0, 1):
        pixels, classes, _ = batches(8, batch=5).sample(1, step)
        fetched.clear()
        for rank in range(count):
            shown = dataclasses.replace(
                batches(8, batch=5), images=lambda k: fetched.append(k) or PICTURES[k % 5]
            )
            own, of_own, rows = shown.sample(1, step, Processes(rank=rank, count=count))

            assert np.array_equal(own, pixels[rank::count])
            assert np.array_equal(of_own, classes[rank::count])
            assert (rows.rank, rows.count, rows.total) == (rank, count, len(classes))
        assert len(fetched) == len(classes)  # each image is made by one process


@pytest.mark.slow
@pytest.mark.parametrize(
    "schedule",
    [
        PRE_TRAININGS["grey"].schedule,
        FINE_TUNINGS["all-augmented"].schedule,
    ],
    ids=["nesterov", "momentum"],
)
def test_a_training_taken_up_again_ends_at_the_same_bits(tmp_path, monkeypatch, schedule):
    monkeypatch.setattr("cxrview.paper.epochs.CHECKPOINT_EVERY", 1)
    brief = dataclasses.replace(schedule, epochs=2, batch=3, rate_epochs=1)

    def training(name: str, report=lambda step, loss: None) -> Training:
        return Training(
            batches=batches(batch=3),
            schedule=brief,
            seed=1,
            checkpoint=tmp_path / name,
            belongs={},
            report=report,
        )

    def stop(step: int, _loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    def fresh() -> GoogLeNet:
        torch.manual_seed(0)
        return GoogLeNet(2)

    whole, stopped, resumed = fresh(), fresh(), fresh()
    train_all_layers(whole, training("whole.safetensors"))
    with pytest.raises(KeyboardInterrupt):
        train_all_layers(stopped, training("stopped.safetensors", stop))
    train_all_layers(resumed, training("stopped.safetensors"))

    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key]), key
    assert any(
        not torch.equal(one, other)
        for one, other in zip(whole.parameters(), fresh().parameters(), strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "kept"), [(0.0, 2), (3600.0, 0)])
def test_slow_steps_are_kept_by_time(tmp_path, monkeypatch, seconds, kept):
    """Stopped in the third step, long before the hundredth that is kept in any case."""
    monkeypatch.setattr("cxrview.paper.epochs.CHECKPOINT_SECONDS", seconds)

    def stop(step: int, _loss: float) -> None:
        if step == 3:
            raise KeyboardInterrupt

    training = Training(
        batches=batches(batch=1),
        schedule=PRE_TRAININGS["grey"].schedule,
        seed=1,
        checkpoint=tmp_path / "c.safetensors",
        belongs={},
        report=stop,
    )
    with pytest.raises(KeyboardInterrupt):
        train_all_layers(GoogLeNet(2), training)

    assert steps_done(tmp_path / "c.safetensors") == kept
