"""How many calibration images a head decides, and how many of these wrong, by threshold."""

from dataclasses import dataclass
from enum import StrEnum


class Head(StrEnum):
    """An output of a model, by the question about a radiograph that it answers."""

    VIEW = "view"
    PROJECTION = "projection"
    ROTATION = "rotation"
    MIRRORED = "mirrored"
    INVERTED = "inverted"


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCurve:
    """Counts of independent calibration images, for each candidate threshold.

    An answer is decided where its probability is above the threshold. The candidates were chosen
    without the labels. `controlled_threshold` finds the threshold for any error and confidence.

    Attributes:
        thresholds: percent, 50 to 100, of the probability of the answer that was given; from the
            strictest to the loosest.
        decided: images whose answer is decided at each threshold.
        errors: those of them whose answer is wrong.
    """

    thresholds: tuple[float, ...]
    decided: tuple[int, ...]
    errors: tuple[int, ...]

    def __post_init__(self) -> None:
        if not len(self.thresholds) == len(self.decided) == len(self.errors) > 0:
            raise ValueError("a risk curve has both counts for each of at least one threshold")
        if not all(50 <= threshold <= 100 for threshold in self.thresholds):
            raise ValueError("a threshold of an answer is a percentage, 50 to 100")
        if list(self.thresholds) != sorted(set(self.thresholds), reverse=True):
            raise ValueError("thresholds go from the strictest to the loosest, each once")
        for counts in (self.decided, self.errors):
            if list(counts) != sorted(counts) or counts[0] < 0:
                raise ValueError("a looser threshold decides no fewer images, also of the errors")
        if any(wrong > of for wrong, of in zip(self.errors, self.decided, strict=True)):
            raise ValueError("a threshold has no more errors than decided images")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One candidate of a `RiskCurve`.

    Attributes:
        percent: an answer is decided where its probability is above this, 50 to 100.
        decided: calibration images that it decides.
        errors: those of them whose answer is wrong.
    """

    percent: float
    decided: int
    errors: int
