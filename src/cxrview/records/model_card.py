"""The model card: identity, decision rule and known accuracy of a model."""

from dataclasses import dataclass

from cxrview.records.card_about import CardAbout


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """The range of cutoffs with the largest Youden's J, in percent of PFI."""

    low: float
    """Lowest cutoff of the maximising range that holds the highest."""
    high: float
    """Highest maximising cutoff: the one that the paper takes."""
    youden_j: float


SMOKE_TEST = "smoke test"
"""Begins `CardAbout.scale` of a model that was made at `--scale smoke`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Identity, decision rule and known accuracy of a model."""

    model_id: str
    """Recipe and the first eight digits of the weights' SHA-256; in every row of a result."""
    weights_sha256: str
    input_side: int
    """Rows and columns of the square radiograph that the model takes."""
    cutoff: float
    """Frontal where PFI is at least this; in percent. Middle of Youden's maximising range."""
    paper_cutoff: float
    """Higher end of that range, which the paper takes; not used in decisions."""
    review_band: tuple[float, float]
    """Lowest and highest PFI, in percent, ends included, of images that are sent to review."""
    precision: str
    """How the weights are stored and computed with, such as `fp16 stored, fp32 computed`."""
    temperature: float = 1.0
    """Divided the logit of frontal when the weights were written: PFI is already calibrated."""
    chest_cutoff: float | None = None
    """An image is `not_chest` where `chest` is below this, in percent. None for a model without
    that output."""
    about: CardAbout = CardAbout()
    """Data, partitions, recipe, counts with intervals, readers, licences, use and limits."""
    int8: "ModelCard | None" = None
    """Card of the same model quantised to int8, with its own cutoffs; None where there is none."""

    @property
    def is_smoke_test(self) -> bool:
        """Whether it comes from `--scale smoke`, so that its predictions mean nothing."""
        return SMOKE_TEST in (self.about.scale or "")

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
