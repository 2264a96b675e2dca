"""What a model is, and what it decides by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """The range of cutoffs with the largest Youden's J, in percent PFI."""

    low: float
    """Lowest cutoff of the maximising range that holds the highest."""
    high: float
    """Highest maximising cutoff: the one that the paper takes."""
    youden_j: float


SMOKE_TEST = "smoke test"
"""How the words begin that a training of `--scale smoke` has on its card, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What a model is, what it decides by, and what is known of how well."""

    model_id: str
    """Recipe and the first eight digits of the weights' SHA-256: names the weights in every row."""
    weights_sha256: str
    input_side: int
    """Rows and columns of the squashed radiograph that it takes."""
    cutoff: float
    """Frontal where PFI is at least this; in percent. Middle of Youden's maximising range."""
    paper_cutoff: float
    """Higher end of that range, which the paper takes; kept for the record."""
    review_band: tuple[float, float]
    """Lowest and highest PFI, ends included, of which the model says that it is not sure."""
    precision: str
    """How the weights are stored and computed with, such as `fp16 stored, fp32 computed`."""
    temperature: float = 1.0
    """Divided the logit of frontal when the weights were written: PFI is already calibrated."""
    chest_cutoff: float | None = None
    """No chest radiograph where `chest` is below this; in percent. None of a network that was not
    taught to tell."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """Data, partitions, recipe, counts with intervals, readers, licences, use and limits."""
    int8: "ModelCard | None" = None
    """Of the same network in integers of 8 bits, where it was quantised; it has cutoffs of its
    own."""

    @property
    def is_smoke_test(self) -> bool:
        """Whether it was made at `--scale smoke`, or from what was: its answers mean nothing."""
        return SMOKE_TEST in str(self.about.get("scale", ""))

    def __post_init__(self) -> None:
        low, high = self.review_band
        if not 0 <= low <= high <= 100:
            raise ValueError(f"a review band is LOW HIGH within 0 to 100; got {low} {high}")
        for name in ("cutoff", "paper_cutoff"):
            if not 0 <= getattr(self, name) <= 100:
                raise ValueError(f"{name} is a percentage, 0 to 100")
        if self.chest_cutoff is not None and not 0 <= self.chest_cutoff <= 100:
            raise ValueError("chest_cutoff is a percentage, 0 to 100")
        if not self.temperature > 0:
            raise ValueError(f"a temperature is above 0; got {self.temperature}")
