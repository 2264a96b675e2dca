"""The parameters in which invented patients differ."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Sex = Literal["F", "M"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """An invented patient; lengths in mm, other values relative to an average adult (1.0)."""

    number: int
    """From 1; identifiers are derived from it and the archive's seed."""
    seed: int
    """Of everything else that is random for this patient, such as vessels and noise."""
    sex: Sex
    size: float
    """Size of the body."""
    fat_mm: float
    """Thickness of the layer under the skin."""
    heart: float
    """Width of the heart."""
    lung: float
    """Height of the lungs: the depth of inspiration."""
    kyphosis: float
    """Kyphosis of the thoracic spine."""
    scoliosis_mm: float
    """Bend of the spine to the left (positive) or right."""
    aorta: float
    """Width of the aortic arch."""
    turn_degrees: float
    """Rotation of the patient from the intended projection."""
    arms_degrees: float
    """Angle of the arms above the horizontal in a lateral view."""
    gas_mm: float
    """Width of the gas in the stomach; below 8 none is drawn."""
    age: int
    """In years."""

    def __post_init__(self) -> None:
        if self.size <= 0 or self.lung <= 0 or self.heart <= 0:
            raise ValueError("size, lung and heart are factors above 0")


def draw_patient(number: int, seed: int) -> Patient:
    """Invent a patient: the same number and seed give the same one.

    Args:
        number: 1 or more.
        seed: 0 or more.
    """
    rng = np.random.default_rng([seed, number])
    sex: Sex = "F" if rng.random() < 0.5 else "M"
    return Patient(
        number=number,
        seed=int(rng.integers(2**31)),
        sex=sex,
        size=float(np.clip(rng.normal(0.94 if sex == "F" else 1.02, 0.035), 0.86, 1.1)),
        fat_mm=float(np.clip(rng.gamma(4, 3.5), 4, 32)),
        heart=float(np.clip(rng.normal(1, 0.09), 0.84, 1.2)),
        lung=float(np.clip(rng.normal(1, 0.05), 0.88, 1.1)),
        kyphosis=float(np.clip(rng.normal(1, 0.25), 0.5, 1.6)),
        scoliosis_mm=float(np.clip(rng.normal(0, 4), -9, 9)),
        aorta=float(np.clip(rng.normal(1, 0.12), 0.8, 1.3)),
        turn_degrees=float(np.clip(rng.normal(0, 2), -4, 4)),
        arms_degrees=float(rng.uniform(15, 60)),
        gas_mm=float(rng.uniform(0, 36)),
        age=int(rng.integers(22, 88)),
    )
