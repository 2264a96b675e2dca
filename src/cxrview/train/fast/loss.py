"""The loss of the heads, each over the pictures whose answer is known."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cxrview.train.fast.batch import UNKNOWN_TURN, FastBatch
from cxrview.train.fast.model import Logits

PROJECTION_WEIGHT = 0.5
"""Of the projection, which few pictures have and which must not shape the other answers; the
others have the weight 1."""


def sum_losses(logits: Logits, batch: FastBatch, label_smoothing: float) -> Tensor:
    """Sum of the mean losses of the heads; a head without a known answer adds nothing.

    Args:
        logits: of the batch.
        batch: with targets that are smoothed already, except those of `turn`.
        label_smoothing: of `turn`.

    Returns:
        A scalar.
    """
    return (
        _binary(logits.frontal, batch.frontal)
        + _binary(logits.chest, batch.chest)
        + _turns(logits.turn, batch.turn, label_smoothing)
        + _binary(logits.mirrored, batch.mirrored)
        + _binary(logits.inverted, batch.inverted)
        + PROJECTION_WEIGHT * _binary(logits.projection_ap, batch.projection_ap)
    )


def _binary(logit: Tensor, target: NDArray[np.float32]) -> Tensor:
    """Mean cross-entropy with target probabilities, over those that are not NaN."""
    probability = torch.from_numpy(target).to(logit.device)
    is_known = ~torch.isnan(probability)
    losses = functional.binary_cross_entropy_with_logits(
        logit.float(), torch.nan_to_num(probability), reduction="none"
    )
    return (losses * is_known).sum() / is_known.sum().clamp(min=1)


def _turns(logits: Tensor, turn: NDArray[np.int64], label_smoothing: float) -> Tensor:
    target = torch.from_numpy(turn).to(logits.device)
    total = functional.cross_entropy(
        logits.float(),
        target,
        ignore_index=UNKNOWN_TURN,
        label_smoothing=label_smoothing,
        reduction="sum",
    )
    return total / (target != UNKNOWN_TURN).sum().clamp(min=1)
