from dataclasses import replace

import numpy as np
import pytest
import torch

from cxrview.errors import InvalidModel, RunStopped
from cxrview.train.fast.loop import (
    Trained,
    as_input,
    learning_rate,
    load_average,
    train_fast_model,
)
from cxrview.train.fast.recipe import FAST
from fixtures.fast_pictures import TINY


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one, other) -> bool:
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


@pytest.mark.slow
def test_train_fast_model_ends_at_the_same_bits_when_stopped_and_resumed(pictures_folder, tmp_path):
    complete = train_fast_model(pictures_folder, TINY, seed=0, checkpoint=tmp_path / "complete")
    steps = []

    with pytest.raises(RunStopped, match="step 2 of 4"):
        train_fast_model(
            pictures_folder,
            TINY,
            seed=0,
            checkpoint=tmp_path / "stopped",
            is_stopped=lambda: len(steps) == 2,
            report=lambda step, _loss: steps.append(step),
        )
    resumed = train_fast_model(
        pictures_folder,
        TINY,
        seed=0,
        checkpoint=tmp_path / "stopped",
        report=lambda step, _loss: steps.append(step),
    )

    assert steps == [1, 2, 3, 4]
    assert same(weights(complete), weights(resumed))
    assert same(weights(complete), weights(load_average(tmp_path / "stopped", TINY)))


def test_train_fast_model_refuses_checkpoint_of_another_recipe(pictures_folder, tmp_path):
    brief = replace(TINY, steps=1)
    train_fast_model(pictures_folder, brief, seed=0, checkpoint=tmp_path / "checkpoint")

    with pytest.raises(InvalidModel, match="differs in recipe[.]"):
        train_fast_model(
            pictures_folder, replace(brief, turned=0.1), seed=0, checkpoint=tmp_path / "checkpoint"
        )


@pytest.mark.slow
def test_train_fast_model_learns_what_it_is_shown(pictures_folder, tmp_path):
    """Bars and noise are told apart after forty steps of a tiny model."""
    recipe = replace(TINY, steps=40, turned=0, drawn=0, average_decay=0.5, peak_rate=0.05)
    losses = []

    train_fast_model(
        pictures_folder,
        recipe,
        seed=0,
        checkpoint=tmp_path / "checkpoint",
        report=lambda _step, loss: losses.append(loss),
    )

    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])


def test_learning_rate_rises_to_its_peak_and_falls_to_almost_nothing():
    recipe = replace(FAST, steps=100, rise=0.25, peak_rate=0.2)

    rates = [learning_rate(step, recipe) for step in range(100)]

    assert rates[0] == pytest.approx(0.2 / 25)
    assert max(rates) == rates[25] == pytest.approx(0.2)
    assert rates[99] == pytest.approx(0.2e-4)
    assert (np.diff(rates[:26]) > 0).all()
    assert (np.diff(rates[25:]) < 0).all()


def test_follow_moves_the_average_by_the_rest_of_the_decay():
    trained = Trained(0.1)
    before = trained.average.frontal.weight.clone()
    with torch.no_grad():
        trained.current.frontal.weight += 1.0
        trained.current.first.norm.running_mean += 2.0

    trained.follow(0.9, step=1_000_000)

    assert torch.allclose(trained.average.frontal.weight, before + 0.1)
    assert torch.allclose(trained.average.first.norm.running_mean, torch.tensor(0.2))


def test_as_input_centres_grey_values():
    shown = as_input(np.array([[[0, 255]]], np.uint8))

    assert shown.flatten().tolist() == pytest.approx([-127.5 / 64, 127.5 / 64])
    assert shown.shape == (1, 1, 1, 2)
