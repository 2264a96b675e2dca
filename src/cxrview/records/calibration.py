"""The thresholds that keep a promise about errors in one archive, from labelled images of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from cxrview.records.risk_curve import Head, RiskCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadCalibration:
    """The threshold of one head and the promise that it keeps.

    Attributes:
        threshold: percent, 50 to 100: an answer is decided where its probability is above this;
            None where no threshold can be shown to keep the promise, so that nothing is decided.
        max_error: largest share of errors among decided images, 0 to 1.
        confidence: probability, over samples of calibration images, that the promise holds.
        patients: calibration images, one of each patient, including those that are not decided.
        curve: counts for each candidate threshold, from which the threshold follows.
    """

    threshold: float | None
    max_error: float
    confidence: float
    patients: int
    curve: RiskCurve

    def __post_init__(self) -> None:
        if not 0 < self.max_error < 1 or not 0 < self.confidence < 1:
            raise ValueError("max_error and confidence are above 0 and below 1")
        if self.threshold is not None and self.threshold not in self.curve.thresholds:
            raise ValueError("the threshold is not a candidate of the curve")
        if self.curve.decided[-1] > self.patients:
            raise ValueError("the curve decides more images than there are")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The calibration of a model on one archive.

    Attributes:
        model_id: `ModelCard.model_id` of the weights that answered.
        precision: `ModelCard.precision` of these.
        conditions: all conditions of the result that say which answer an image gets, by name;
            the promise is about answers under the same conditions.
        heads: by head.
    """

    model_id: str
    precision: str
    conditions: Mapping[str, str]
    heads: Mapping[Head, HeadCalibration]

    def __post_init__(self) -> None:
        if not self.heads:
            raise ValueError("a calibration has at least one head")
        heads = {Head(name): one for name, one in self.heads.items()}
        object.__setattr__(self, "heads", heads)
