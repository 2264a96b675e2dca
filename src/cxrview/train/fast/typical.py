"""How far a picture lies from the training radiographs, in the features of a fast model.

A head can be sure of anything that it was never shown; a picture unlike all training radiographs is
passed on, whatever the head says.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.records.scores import PROGENITOR_NAME
from cxrview.terms import Partition
from cxrview.train.fast.change import to_model_side
from cxrview.train.fast.loop import as_input
from cxrview.train.fast.model import FastModel
from cxrview.train.fast.pictures import Pictures

AXES = 64
"""Principal axes of the features that are kept."""
MOST_PICTURES = 2000
"""Training radiographs that the axes are computed from."""
PASSED_ON = 0.01
"""Share of validation radiographs at which distance and head meet: both lie at this quantile."""
_CALL = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Typical:
    """The distance of a picture and how it limits the logit of `chest`.

    The distance is the mean square of the standardised principal components of its features
    (Mahalanobis, in AXES axes). The logit is at most `offset - slope * distance`.
    """

    mean: NDArray[np.float32]
    """Shape (c,), of the features of training radiographs."""
    axes: NDArray[np.float32]
    """Shape (c, AXES): principal axes, each divided by its standard deviation."""
    offset: float
    slope: float
    """Above 0."""

    def distance(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances for features of shape (n, c), shape (n,)."""
        components = (features - self.mean) @ self.axes
        return np.asarray((components**2).mean(axis=1))

    def limit(
        self, logit: NDArray[np.float32], features: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Logits of `chest`, shape (n,), as the exported model gives them."""
        return np.asarray(np.minimum(logit, self.offset - self.slope * self.distance(features)))


def fit_typical(model: FastModel, pictures: Pictures, without: tuple[str, ...] = ()) -> Typical:
    """Compute mean and axes on training radiographs, and the limit on validation radiographs.

    Args:
        model: in evaluation mode.
        pictures: that it was trained on.
        without: sources that it was not trained on.
    """
    is_chest = (pictures.kinds() != "not-chest") & ~np.isin(pictures.sources, list(without))
    training = np.flatnonzero(is_chest & pictures.is_in(Partition.TRAINING))
    rng = np.random.default_rng(0)
    if len(training) > MOST_PICTURES:
        training = rng.choice(training, MOST_PICTURES, replace=False)
    names = list(ORIENTATIONS)
    # Every other picture upright, as most are; the others in one pose after the other.
    poses = [names[k // 2 % len(names)] if k % 2 else PROGENITOR_NAME for k in range(len(training))]
    features, _ = _features(model, pictures, training, poses)
    mean = features.mean(axis=0)
    _, spread, directions = np.linalg.svd(features - mean, full_matrices=False)
    kept = min(AXES, int((spread > 1e-6 * spread[0]).sum()))
    deviations = spread[:kept] / np.sqrt(len(features))
    axes = directions[:kept].T / deviations
    bare = Typical(mean=mean, axes=axes.astype(np.float32), offset=0.0, slope=1.0)
    rows = np.flatnonzero(is_chest & pictures.is_in(Partition.VALIDATION))
    shown, logits = _features(model, pictures, rows, [PROGENITOR_NAME] * len(rows))
    distances = bare.distance(shown)
    far = float(np.quantile(distances, 1 - PASSED_ON))
    low = float(np.quantile(logits, PASSED_ON))
    # Also through the medians, so that the limit does not bind for a typical radiograph.
    rise = max(float(np.median(logits)) - low, 1.0)
    slope = rise / max(far - float(np.median(distances)), 1e-3)
    return Typical(mean=mean, axes=bare.axes, offset=low + slope * far, slope=slope)


def _features(
    model: FastModel, pictures: Pictures, rows: NDArray[np.intp], poses: list[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Features, shape (n, c), and logits of `chest`, shape (n,)."""
    features, logits = [], []
    for start in range(0, len(rows), _CALL):
        shown = [
            to_model_side(ORIENTATIONS[pose](np.asarray(pictures.pixels[row])[None])[0])
            for row, pose in zip(
                rows[start : start + _CALL], poses[start : start + _CALL], strict=True
            )
        ]
        with torch.inference_mode():
            found = model.features(as_input(np.stack(shown)))
            features.append(found.numpy())
            logits.append(model.chest(found)[:, 0].numpy())
    return np.concatenate(features), np.concatenate(logits)
