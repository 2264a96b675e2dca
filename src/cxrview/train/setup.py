"""How and where a training runs."""

from dataclasses import dataclass
from pathlib import Path

from cxrview.train.callbacks import TrainingWatch
from cxrview.train.hardware import CPU, Hardware
from cxrview.train.recipes import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSetup:
    """What all trainings of one call have in common."""

    recipe: Recipe
    published: Path
    """The published GoogLeNet, .npz."""
    hardware: Hardware = CPU
    watch: TrainingWatch = TrainingWatch()
