"""How models are trained, as rows of data with the reason beside each figure."""

from collections.abc import Mapping
from dataclasses import dataclass

from cxrview.errors import UsageError

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
    """Highest learning rate of the new classifiers."""
    peak_rate_trunk: float
    """Highest learning rate of the pre-trained layers."""
    momentum: float
    weight_decay: float
    balance: float
    """Images of one source and view, n in all, are drawn by a share that goes with n to this
    power: 1 as they come, 0 each kind alike."""
    label_smoothing: float
    """Share of the truth that is given to both views alike."""
    not_chest: float
    """Share of a batch that shows no chest, of labelled pictures; 0 without such an output."""
    photographs: float
    """The same, of photographs of anything."""
    drawn: float
    """The same, of pictures drawn by `train.not_chest`."""
    chances: Mapping[str, float]
    """Of each change of `train.appearance`."""

    @property
    def has_chest(self) -> bool:
        """Whether the network also learns what is no chest."""
        return self.not_chest + self.photographs + self.drawn > 0


_WIDE_CHANCES = {
    "crop": 0.6,
    "border": 0.3,
    "mirror": 0.5,
    "upside_down": 0.08,
    "quarter_turn": 0.08,
    "tilt": 0.4,
    "expose": 0.5,
    "clip_window": 0.2,
    "dull": 0.15,
    "blur": 0.2,
    "add_noise": 0.2,
    "compress": 0.15,
    "cover": 0.1,
    "letter": 0.2,
    "invert": 0.1,
}

WIDE = Recipe(
    name="wide",
    steps=1000,  # about twelve passes over the training partition
    batch=32,
    peak_rate_classifier=0.01,
    peak_rate_trunk=0.002,  # a fifth: published weights need less change than a fresh layer
    momentum=0.9,
    weight_decay=0.0005,
    balance=0.75,
    label_smoothing=0.0,
    not_chest=0.0,
    photographs=0.0,
    drawn=0.0,
    chances=_WIDE_CHANCES,
)
"""Two views only, and poses rare: what there was before `world`, kept to be compared with."""

WORLD = Recipe(
    name="world",
    steps=2400,  # about nineteen passes: two fifths of each batch are no chest
    batch=32,
    peak_rate_classifier=0.01,
    peak_rate_trunk=0.002,
    momentum=0.9,
    weight_decay=0.0005,
    balance=0.5,  # laterals from outside Open-i are 23: at 0.75 they were 2 % of what is shown
    label_smoothing=0.0,
    not_chest=0.25,
    photographs=0.08,  # not for their own sake alone: what is no chest elsewhere is known better
    drawn=0.05,  # what can be drawn is learnt soon
    chances=_WIDE_CHANCES
    | {
        "border": 0.25,
        "collimate": 0.1,
        "squeeze": 0.15,
        "screenshot": 0.05,
        "haze": 0.15,  # from Open-i alone, white lungs under cables were called no chest
        "wires": 0.15,
        "upside_down": 0.2,  # with mirror, a third stands in each of the other six poses
        "quarter_turn": 0.2,
        "invert": 0.2,  # turned and inverted at once was the corner where `wide` was weak
    },
)

RECIPES = {recipe.name: recipe for recipe in (WIDE, WORLD)}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in RECIPES:
        raise UsageError(f"there is no recipe {name}", f"There are {', '.join(RECIPES)}")
    return RECIPES[name]
