"""How often a classifier is right, and how surely that is known."""

from dataclasses import dataclass

from cxrview.records.model import Cutoff


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A confidence interval of a proportion, both ends in 0 to 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquared:
    """A pooled comparison of two proportions, one degree of freedom."""

    statistic: float
    p: float
    corrected_statistic: float
    """With Yates' continuity correction."""
    corrected_p: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoByTwo:
    """Images counted by their true view and by what a classifier called them (paper, section 6)."""

    frontal_called_frontal: int
    frontal_called_lateral: int
    lateral_called_frontal: int
    lateral_called_lateral: int

    def __post_init__(self) -> None:
        counts = (self.frontal, self.lateral, self.right, self.total - self.right)
        if min(counts) < 0 or self.total == 0:
            raise ValueError(f"a table counts at least one image; got {self}")

    @property
    def frontal(self) -> int:
        """Images that are frontal."""
        return self.frontal_called_frontal + self.frontal_called_lateral

    @property
    def lateral(self) -> int:
        """Images that are lateral."""
        return self.lateral_called_frontal + self.lateral_called_lateral

    @property
    def right(self) -> int:
        """Images called what they are."""
        return self.frontal_called_frontal + self.lateral_called_lateral

    @property
    def total(self) -> int:
        """All images."""
        return self.frontal + self.lateral

    @property
    def accuracy(self) -> float:
        """Share of right ones, 0 to 1."""
        return self.right / self.total

    @property
    def sensitivity(self) -> float | None:
        """Share of frontal images called so, 0 to 1; None where there are none."""
        return self.frontal_called_frontal / self.frontal if self.frontal else None

    @property
    def specificity(self) -> float | None:
        """Share of lateral images called so, 0 to 1; None where there are none."""
        return self.lateral_called_lateral / self.lateral if self.lateral else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The images that have one thing in common, such as a source or a manufacturer."""

    kind: str
    """What they are told apart by: `source`, `manufacturer`."""
    name: str
    """Which one; empty for images of which nobody says."""
    table: TwoByTwo
    interval: Interval
    """Of the accuracy, Clopper-Pearson, 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Images of similar PFI, and how many of them really are frontal."""

    low: float
    """Percent; images lie above it, except that the first bin holds 0 as well."""
    high: float
    """Percent; images lie at it or below."""
    images: int
    mean_pfi: float
    """What the classifier says on average, percent."""
    percent_frontal: float
    """What is true."""
    interval: Interval
    """Of the share that is frontal, Clopper-Pearson, 95 %; 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """How well a classifier does on images whose views are known."""

    cutoff: float
    """Frontal where PFI is at least this; percent. Chosen elsewhere, as a rule."""
    table: TwoByTwo
    interval: Interval
    """Of the accuracy, Clopper-Pearson, 95 %."""
    slices: tuple[Slice, ...]
    best: Cutoff | None
    """What these images would have chosen, to look at; None where a view is missing."""
    reliability: tuple[ReliabilityBin, ...]
    """Of bins that hold an image, from low to high."""
    calibration_error: float
    """Expected calibration error, in percentage points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One classifier on one set of images by one rule for the cutoff: a row of the result table."""

    classifier: str
    """`Scores.classifier`."""
    images: str
    """`inside`, `external`, or `both` together."""
    cutoff_from: str
    """`validation`, or `test` images (the paper's way); empty where nothing is cut off."""
    rule: str
    """`higher end` of Youden's maximising range (the paper's), `middle` of it (ours), or
    `at its word`: a header's claim as it stands, silence counted as wrong."""
    assessment: Assessment
