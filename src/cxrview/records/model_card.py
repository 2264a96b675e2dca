"""The model card: identity, decision rule and known accuracy of a model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cxrview.records.card_about import CardAbout
from cxrview.records.risk_curve import Head, RiskCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """The range of cutoffs with the largest Youden's J, in percent of PFI."""

    low: float
    """Lowest cutoff of the maximising range that holds the highest."""
    high: float
    """Highest maximising cutoff: the one that the paper takes."""
    youden_j: float


THRESHOLDS = ("projection", "rotation", "mirrored", "inverted")
"""Answers that have a threshold: columns of the result."""
SMOKE_TEST = "smoke test"
"""Begins `CardAbout.scale` of a model that was made at `--scale smoke`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Identity, decision rule and known accuracy of a model.

    Attributes:
        model_id: recipe and the first eight digits of the weights' SHA-256; in every row of
            a result.
        weights_sha256: SHA-256 of the file of weights, as hexadecimal.
        input_side: rows and columns of the square radiograph that the model takes.
        cutoff: frontal where PFI is at least this; in percent. Middle of Youden's
            maximising range.
        paper_cutoff: higher end of that range, which the paper takes; not used in
            decisions.
        review_band: lowest and highest PFI, in percent, ends included, of images that are
            sent to review.
        precision: how the weights are stored and computed with, such as `fp16 stored, fp32
            computed`.
        temperature: divided the logit of frontal when the weights were written: PFI is
            already calibrated.
        chest_cutoff: an image is `not_chest` where `chest` is below this, in percent. None
            for a model without that output.
        thresholds: minimum probability, in percent, of an answer to `projection`, `rotation`,
            `mirrored` and `inverted`; below it the cell stays empty. None of them for a model
            without these outputs.
        second: name of the model in the package that decides, in a cascade, what this model would
            send to review or refuse as not a chest radiograph; empty for none.
        second_model_id: `model_id` of that second model, whose answers are among those counted
            in the risk curve of the view; empty where no such curve was counted.
        about: data, partitions, recipe, counts with intervals, readers, licences, use and
            limits.
        int8: card of the same model quantised to int8, with its own cutoffs; None where
            there is none.
        risk_curves: counts of calibration images by head, from which `--max-error` sets
            thresholds; empty where there are none. In a cascade, the curve of the view counts the
            answers of both models together.
    """

    model_id: str
    weights_sha256: str
    input_side: int
    cutoff: float
    paper_cutoff: float
    review_band: tuple[float, float]
    precision: str
    temperature: float = 1.0
    chest_cutoff: float | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    second: str = ""
    second_model_id: str = ""
    about: CardAbout = CardAbout()
    int8: "ModelCard | None" = None
    risk_curves: Mapping[Head, RiskCurve] = field(default_factory=dict)

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
        if unknown := set(self.thresholds) - set(THRESHOLDS):
            raise ValueError(f"thresholds are those of {', '.join(THRESHOLDS)}; got {unknown}")
        if not all(50 <= least <= 100 for least in self.thresholds.values()):
            raise ValueError("a threshold is a percentage, 50 to 100")
        if not self.temperature > 0:
            raise ValueError(f"a temperature is above 0; got {self.temperature}")
