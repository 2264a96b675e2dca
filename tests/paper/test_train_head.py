"""The fast way of training the classifier alone, against the slow one."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from cxrview.errors import InvalidModel
from cxrview.paper.candidates import FINE_TUNINGS
from cxrview.paper.epochs import Batches, Training, set_rate, sgd
from cxrview.paper.train_head import train_classifier, trunk_features
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loop import as_input

SCHEDULE = dataclasses.replace(FINE_TUNINGS["fc-augmented"].schedule, epochs=2, batch=4)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (10, 256, 256), np.uint8)


def network_of(seed: int) -> GoogLeNet:
    torch.manual_seed(seed)
    return GoogLeNet(2, auxiliary=False)


def training_of(pictures, tmp_path, **fields) -> Training:
    return Training(
        batches=Batches(
            images=lambda k: pictures[k],
            classes=np.arange(10) % 2,
            batch=SCHEDULE.batch,
            seed=5,
            is_cropped_at_random=False,
        ),
        schedule=SCHEDULE,
        seed=7,
        checkpoint=tmp_path / "classifier.safetensors",
        belongs={"candidate": "test"},
        **fields,
    )


@pytest.mark.slow
def test_features_computed_once_give_the_weights_of_the_slow_way(pictures, tmp_path):
    """The slow way runs the frozen trunk in every step. Tolerance 1e-5 of weights near 0.05:
    sums over batches of other sizes are rounded otherwise."""
    training = training_of(pictures, tmp_path)
    fast, slow = network_of(0), network_of(0)

    train_classifier(fast, trunk_features(fast, lambda k: pictures[k], 10), training)

    for parameter in slow.parameters():
        parameter.requires_grad_(False)
    for parameter in slow.classifier.parameters():
        parameter.requires_grad_(True)
    slow.eval()
    optimiser = sgd(slow, SCHEDULE)
    for number in range(SCHEDULE.epochs * training.batches.steps):
        epoch, step = divmod(number, training.batches.steps)
        set_rate(optimiser, SCHEDULE.rate_at(epoch))
        pixels, classes, _ = training.batches.sample(epoch, step)
        torch.manual_seed(training.seed * 1_000_003 + number)
        seen = functional.dropout(slow.features(as_input(pixels)), 0.4)
        loss = functional.cross_entropy(slow.classifier(seen), torch.from_numpy(classes))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    for one, other in zip(fast.classifier.parameters(), slow.classifier.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)
    assert not torch.equal(fast.classifier.weight, network_of(0).classifier.weight)


def test_the_trunk_stays_as_it_is(pictures, tmp_path):
    network = network_of(0)

    train_classifier(
        network,
        trunk_features(network, lambda k: pictures[k], 10),
        training_of(pictures, tmp_path),
    )

    for (key, one), other in zip(
        network.named_parameters(), network_of(0).parameters(), strict=True
    ):
        assert key.startswith("classifier.") or torch.equal(one, other)


def test_another_trainings_checkpoint_is_refused(pictures, tmp_path):
    network, features = network_of(0), np.zeros((10, 1024), np.float32)
    train_classifier(network, features, training_of(pictures, tmp_path))
    other = dataclasses.replace(training_of(pictures, tmp_path), belongs={"candidate": "other"})

    with pytest.raises(InvalidModel, match="differs in candidate"):
        train_classifier(network, features, other)


def test_a_training_taken_up_again_ends_at_the_same_bits(pictures, tmp_path, monkeypatch):
    """Stopped at step 25 of 30, in the middle of an epoch, it goes on after the checkpoint of
    step 20."""
    monkeypatch.setattr("cxrview.paper.train_head.CHECKPOINT_EVERY", 1)
    features = np.random.default_rng(1).random((10, 1024), np.float32)
    longer = dataclasses.replace(SCHEDULE, epochs=10, rate_epochs=4)
    steps = []

    def training(name: str, report) -> Training:
        (tmp_path / name).mkdir(exist_ok=True)
        usual = training_of(pictures, tmp_path / name, report=report)
        return dataclasses.replace(usual, schedule=longer)

    def stop(step: int, _loss: float) -> None:
        if step == 25:
            raise KeyboardInterrupt

    whole, resumed = network_of(0), network_of(0)
    train_classifier(whole, features, training("whole", lambda step, loss: None))
    with pytest.raises(KeyboardInterrupt):
        train_classifier(network_of(0), features, training("stopped", stop))
    train_classifier(resumed, features, training("stopped", lambda step, loss: steps.append(step)))

    assert steps == list(range(21, 31))
    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key]), key
    assert not torch.equal(whole.classifier.weight, network_of(0).classifier.weight)
