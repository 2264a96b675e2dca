"""All settings of the training of the fast model, with the reason for each value."""

from collections.abc import Mapping
from dataclasses import dataclass

SIDE = 224
"""Rows and columns that the model takes; the squashed 256 x 256 pixels are resized to it, and not
cropped, since neck and abdomen at the edges show the orientation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FastRecipe:
    """All settings of a training: with the same pictures and a seed they give the same model."""

    name: str
    width: float
    """Multiplies the number of channels of every layer (Howard 2017, section 3.3)."""
    steps: int
    radiographs: int
    """Radiographs of a batch that are sampled for the view, by source and view."""
    projections: int
    """Frontal radiographs of a batch that are sampled for the projection: half AP and half PA of
    one source after the other."""
    not_chest: int
    """Labelled pictures of a batch that do not show a chest."""
    photographs: int
    """Photographs of a batch."""
    drawn: int
    """Pictures of a batch that are drawn by `train.not_chest`."""
    balance: float
    """The share of one source and view is proportional to its number of images to this power."""
    peak_rate: float
    """Highest learning rate of the one-cycle schedule (Smith and Topin 2019)."""
    rise: float
    """Share of the steps in which the learning rate rises."""
    momentum: float
    weight_decay: float
    """Of convolutions across channels and of the heads only (Howard 2017, section 3.2)."""
    label_smoothing: float
    """Share of each target that is divided equally between the answers, 0 to 1 (Szegedy 2016)."""
    teacher_share: float
    """Share of the target of view and chest that is the answer of the teacher, 0 to 1; the label is
    the rest (Hinton 2015)."""
    average_decay: float
    """Of the exponential average of the weights, per step (Polyak and Juditsky 1992)."""
    mirrored: float
    """Probability that a picture is mirrored left for right, 0 to 1."""
    turned: float
    """Probability that a picture is turned by one, two or three quarters, 0 to 1."""
    inverted: float
    """Probability that grey values are inverted, 0 to 1."""
    corner_words: float
    """Probability that words are put into the corners, 0 to 1."""
    hidden_edges: float
    """Probability that the edges are hidden, 0 to 1."""
    chances: Mapping[str, float]
    """Probability of each change of `train.augment`, 0 to 1, by name."""
    without: tuple[str, ...] = ()
    """Sources of which no picture is used, to test the recipe on them."""

    @property
    def batch(self) -> int:
        """Pictures of one step."""
        return self.radiographs + self.projections + self.not_chest + self.photographs + self.drawn


FAST = FastRecipe(
    name="fast",
    width=0.375,  # 1.7 ms of a core for one radiograph in int8; GoogLeNet takes 12
    steps=4000,
    radiographs=36,
    projections=12,
    not_chest=9,
    photographs=4,
    drawn=3,
    balance=0.5,
    peak_rate=0.12,
    rise=0.25,
    momentum=0.9,
    weight_decay=0.0002,
    label_smoothing=0.02,
    teacher_share=0.5,
    average_decay=0.999,
    mirrored=0.5,
    turned=0.4,  # the orientation is learnt from the same pictures as the view
    inverted=0.2,
    corner_words=0.4,  # AP and PA, L and R must not be the answer
    hidden_edges=0.25,  # nor the edges, by which films of one hospital are recognised
    chances={
        "crop": 0.6,
        "border": 0.25,
        "collimate": 0.1,
        "squeeze": 0.15,
        "screenshot": 0.05,
        "tilt": 0.4,
        "expose": 0.5,
        "clip_window": 0.2,
        "dull": 0.15,
        "haze": 0.15,
        "wires": 0.15,
        "blur": 0.2,
        "add_noise": 0.2,
        "compress": 0.15,
        "cover": 0.1,
        "letter": 0.1,
    },
)
"""The recipe of the fast model. Pose, inversion and words in the corners are not among `chances`,
because they are targets or depend on one."""
