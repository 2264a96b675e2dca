"""How models are trained, as rows of data with the reason beside each figure."""

from dataclasses import dataclass

from cxrview.terms import View

GREY_MEAN = 117.0
"""Taken off every pixel: luma of ILSVRC's channel means. One for all three channels, so
that the network folds into a single-channel one without any change at the padded edges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training, whole: with the labels and a seed it gives the same model."""

    name: str
    steps: int
    batch: int
    peak_rate_classifier: float
    """Highest learning rate of the new classifier."""
    peak_rate_trunk: float
    """Highest learning rate of the pre-trained layers."""
    momentum: float
    weight_decay: float
    weights: tuple[tuple[str, View, float], ...]
    """(source, view, weight): how often an image of that kind is drawn, against the others."""
    other_weight: float
    """Weight of frontal images of a source that is not named above; laterals count double."""

    def weight_of(self, source: str, view: View) -> float:
        """How often an image is drawn, relative to the others."""
        for named, of, weight in self.weights:
            if (named, of) == (source, view):
                return weight
        return self.other_weight * (2 if view is View.LATERAL else 1)


WIDE = Recipe(
    name="wide",
    steps=1000,  # about twelve passes over the training partition
    batch=32,
    peak_rate_classifier=0.01,
    peak_rate_trunk=0.002,  # a fifth: published weights need less change than a fresh layer
    momentum=0.9,
    weight_decay=0.0005,
    weights=(
        ("open-i", View.FRONTAL, 1.0),
        ("open-i", View.LATERAL, 1.0),
        ("covid", View.FRONTAL, 2.0),
        ("covid", View.LATERAL, 6.0),  # 31 in all, the only laterals from outside Open-i
        ("hannover", View.FRONTAL, 2.0),
    ),
    other_weight=2.0,
)

RECIPES = {WIDE.name: WIDE}
