"""Training recipes as data, with the reason for each value."""

from collections.abc import Mapping
from dataclasses import dataclass

from cxrview.errors import UsageError

GREY_MEAN = 117.0
"""Subtracted from every pixel: luma of ILSVRC's channel means. It is the same for all three
channels, so that they fold into one without any change at the padded edges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All settings of a training: with the labels and a seed they give the same model."""

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
    """The share of a batch of one source and view is proportional to its number of images to this
    power: 1 keeps their frequencies, 0 gives each an equal share."""
    label_smoothing: float
    """Share of the target that is divided equally between the views, 0 to 1."""
    not_chest: float
    """Share of a batch that is labelled images without a chest; 0 for a model without `chest`."""
    photographs: float
    """Share of a batch that is photographs."""
    drawn: float
    """Share of a batch that is pictures drawn by `train.not_chest`."""
    chances: Mapping[str, float]
    """Probability of each change of `train.augment`, 0 to 1, by name."""

    @property
    def has_chest(self) -> bool:
        """Whether the model has the output `chest`."""
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
"""Two views only, and few poses: the recipe before `world`, kept for comparison."""

WORLD = Recipe(
    name="world",
    steps=2400,  # about nineteen passes: two fifths of each batch show no chest
    batch=32,
    peak_rate_classifier=0.01,
    peak_rate_trunk=0.002,
    momentum=0.9,
    weight_decay=0.0005,
    balance=0.5,  # only 23 laterals are not from Open-i: at 0.75 they were 2 % of the batches
    label_smoothing=0.0,
    not_chest=0.25,
    photographs=0.08,  # they also make `chest` better on other images without a chest
    drawn=0.05,  # drawn pictures are learnt early
    chances=_WIDE_CHANCES
    | {
        "border": 0.25,
        "collimate": 0.1,
        "squeeze": 0.15,
        "screenshot": 0.05,
        "haze": 0.15,  # trained on Open-i alone, white lungs under cables were called not_chest
        "wires": 0.15,
        "upside_down": 0.2,  # with mirror, a third has one of the other six poses
        "quarter_turn": 0.2,
        "invert": 0.2,  # `wide` was weak on images both turned and inverted
    },
)

RECIPES = {recipe.name: recipe for recipe in (WIDE, WORLD)}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in RECIPES:
        raise UsageError(f"recipe {name} does not exist", f"Choose from {', '.join(RECIPES)}")
    return RECIPES[name]
