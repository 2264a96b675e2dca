import numpy as np
import pytest
import torch

from cxrview.train.fast.batch import FastBatch
from cxrview.train.fast.loss import PROJECTION_WEIGHT, sum_losses
from cxrview.train.fast.model import Logits

NAN = np.full(3, np.nan, np.float32)


def batch(**known) -> FastBatch:
    """Three pictures of which nothing is known but what is given."""
    nothing = {name: NAN for name in ("frontal", "chest", "mirrored", "inverted", "projection_ap")}
    rest = {"turn": np.full(3, -1), "pixels": np.zeros((3, 224, 224), np.uint8)}
    return FastBatch(**{**nothing, **rest, **known})


LOGITS = Logits(
    frontal=torch.tensor([2.0, -1.0, 0.5]),
    chest=torch.tensor([1.0, 1.0, -3.0]),
    turn=torch.tensor([[1.0, 0, 0, 0], [0, 2.0, 0, 0], [0, 0, 0, 0]]),
    mirrored=torch.tensor([3.0, 0.0, 0.0]),
    inverted=torch.tensor([0.0, 0.0, 0.0]),
    projection_ap=torch.tensor([4.0, -4.0, 0.0]),
)


def entropy(logit: float, target: float) -> float:
    chance = 1 / (1 + np.exp(-logit))
    return -(target * np.log(chance) + (1 - target) * np.log(1 - chance))


def test_sum_losses_is_zero_where_nothing_is_known():
    assert sum_losses(LOGITS, batch(), 0.1).item() == 0


def test_sum_losses_means_over_known_targets_only():
    known = batch(frontal=np.array([0.9, np.nan, 0.2], np.float32))

    expected = (entropy(2.0, 0.9) + entropy(0.5, 0.2)) / 2
    assert sum_losses(LOGITS, known, 0.1).item() == pytest.approx(expected, rel=1e-5)


def test_sum_losses_counts_projection_for_its_weight():
    known = batch(projection_ap=np.array([np.nan, 1.0, np.nan], np.float32))

    expected = PROJECTION_WEIGHT * entropy(-4.0, 1.0)
    assert sum_losses(LOGITS, known, 0.1).item() == pytest.approx(expected, rel=1e-5)


def test_sum_losses_of_turns_is_smoothed_cross_entropy():
    known = batch(turn=np.array([-1, 1, -1]))
    chances = np.exp([0, 2, 0, 0]) / np.exp([0, 2, 0, 0]).sum()
    target = np.array([0.025, 0.925, 0.025, 0.025])

    assert sum_losses(LOGITS, known, 0.1).item() == pytest.approx(
        -(target * np.log(chances)).sum(), rel=1e-5
    )
