import dataclasses

import pytest
import torch
from safetensors import safe_open

from cxrview.errors import InvalidModel
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.loop import fine_tune, seed_dropout
from fixtures.bars import BRIEF, trained


@pytest.mark.slow
def test_fine_tune_ends_at_same_bits_when_resumed(bars, tmp_path, monkeypatch):
    monkeypatch.setattr("cxrview.train.loop.CHECKPOINT_SECONDS", 0)
    whole = trained(bars, tmp_path / "whole.safetensors")

    def stop(step: int, _loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    torch.manual_seed(0)
    stopped = GoogLeNet(2, auxiliary=False, chest=True)
    path = tmp_path / "stopped.safetensors"
    with pytest.raises(KeyboardInterrupt):
        fine_tune(stopped, bars, BRIEF, seed=0, checkpoint=path, report=stop)
    resumed = trained(bars, path)

    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key]), key


def test_seed_dropout_takes_a_time_as_seed_and_keeps_small_ones():
    seed_dropout(7, 3)
    assert torch.initial_seed() == 7 * 1_000_003 + 3

    drawn = []
    for step in (3, 4, 3):
        seed_dropout(20_261_130_205_030, step)
        drawn.append(torch.rand(1).item())

    assert drawn[0] == drawn[2] != drawn[1]


@pytest.mark.slow
def test_fine_tune_refuses_checkpoint_of_another_recipe(bars, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    trained(bars, path, dataclasses.replace(BRIEF, steps=1))

    with pytest.raises(InvalidModel, match="differs in recipe[.]"):
        trained(bars, path)


@pytest.mark.slow
def test_fine_tune_names_facts_of_checkpoint_as_earlier_versions(bars, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    recipe = dataclasses.replace(BRIEF, steps=1)

    trained(bars, path, recipe)

    with safe_open(path, framework="pt") as stored:
        facts = stored.metadata()
        assert all(key.startswith(("network.", "momentum.")) for key in stored.keys())  # noqa: SIM118
    assert set(facts) == {"recipe", "seed", "lesson", "step", "rates"}
    assert (facts["recipe"], facts["lesson"]) == (repr(recipe), bars.sha256)
