"""How often a classifier is right, and how surely that is known."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.records.classification import Cutoff
from cxrview.terms import View


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


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRow:
    """One image of an annotation study beside what a result says of it."""

    path: str
    """As in the study."""
    stratum: str
    weight: float
    """Images of the archive that it stands for."""
    is_settled: bool
    """Whether readers have come to a label or an exclusion."""
    label_view: View | None
    """What it shows; None where it is excluded, has a label that is no view, or is unsettled."""
    decision: str
    """Of the result; empty where the result has no row of it."""
    view: View | None
    """Of the result; None where it names none."""
    pfi: float | None = None

    @property
    def is_compared(self) -> bool:
        """Whether both the readers and the result have said something."""
        return self.is_settled and bool(self.decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumCount:
    """What was found in one stratum."""

    name: str
    archive: float
    """Images of the archive in it: the weights of all that were drawn, together."""
    drawn: int
    compared: int
    """Of these, images that are settled and have a row."""
    with_view: int
    """Of these, images that have a view by the readers and by the result."""
    wrong: int
    """Of these, images whose two views differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledShare:
    """A share of images in the sample, and what it says of the archive."""

    name: str
    """What is counted."""
    hits: int
    images: int
    """Among which they are counted, at least 1."""
    interval: Interval
    """Of `hits` in `images`, Clopper-Pearson, 95 %, as if no image stood for more than another."""
    weighted: float
    """Estimate for the archive, 0 to 1: each stratum's share by the stratum's images."""
    weighted_interval: Interval
    """Of that, 95 %; see `stats.weighted_interval`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveError:
    """How often a result is wrong about the archive that a study was drawn from."""

    strata: tuple[StratumCount, ...]
    shares: tuple[SampledShare, ...]
    """Wrong views first; those of which no image was compared are left out."""
    wrong: tuple[LabelledRow, ...]
    """Images whose view differs from the readers', the surest of the model first."""
    unsettled: int
    without_row: int
    """Settled images of the study that the result does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle of a picture of any size, in percent of its rows and columns."""

    row: float
    """Of the upper edge, 0 at the top."""
    column: float
    """Of the left edge as the picture is seen, 0 at the left."""
    rows: float
    columns: float

    def __post_init__(self) -> None:
        for name, start, length in (
            ("rows", self.row, self.rows),
            ("columns", self.column, self.columns),
        ):
            # A pixel's share of a picture, added up, may miss 100 by a rounding.
            if not (start >= 0 and length > 0 and start + length <= 100 + 1e-9):
                raise ValueError(f"a box lies within its picture, 0 to 100 percent of its {name}")

    @classmethod
    def parse(cls, text: str, side: int) -> "Box":
        """A box in words, such as `10,200,24,30` in pixels or `4%,80%,10%,12%`.

        Args:
            text: upper edge, left edge, rows, columns; each with a % sign or in pixels.
            side: rows and columns of the picture, in pixels.

        Raises:
            ValueError: not four numbers, or the box is not within the picture.
        """
        row, column, rows, columns = (
            float(part.strip().removesuffix("%")) * (1 if "%" in part else 100 / side)
            for part in text.split(",")
        )
        box = cls(row=row, column=column, rows=rows, columns=columns)
        box.slices((side, side))
        return box

    def slices(self, shape: tuple[int, ...]) -> tuple[slice, slice]:
        """Where it lies in a picture of that shape, to the nearest pixel.

        Raises:
            ValueError: there it is thinner than a pixel.
        """
        down = _slice(self.row, self.rows, shape[0])
        across = _slice(self.column, self.columns, shape[1])
        if down.start == down.stop or across.start == across.stop:
            raise ValueError("a box holds at least one pixel")
        return down, across


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifiedImage:
    """One radiograph, changed, and what a classifier says of it: a picture of the paper's Fig 6."""

    modification: str
    """Such as `rotation`; `unmodified` for the radiograph as it was."""
    severity: str
    """Such as `10`; empty where unmodified."""
    title: str
    """For people, such as `rotated by 10°`."""
    pixels: NDArray[np.uint8]
    """Shape (side, side), uint8."""
    pfi: float
    """Percent, 0 to 100."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifiedCount:
    """How many of the same images a classifier gets right under one modification."""

    modification: str
    severity: str
    table: TwoByTwo
    interval: Interval
    """Of the accuracy, Clopper-Pearson, 95 %."""
    frontal_interval: Interval | None
    """Of the share of frontal images called so; None where there are none."""
    lateral_interval: Interval | None
    lost: int
    """Images right as they were and wrong now."""
    gained: int
    """The reverse."""
    drawn_from: int
    """Images there would have been; more than `table.total` where only some were drawn."""

    def __post_init__(self) -> None:
        if self.drawn_from < self.table.total:
            raise ValueError(f"{self.table.total} images cannot come from {self.drawn_from}")

    @property
    def difference(self) -> float:
        """Accuracy minus that of the same images unmodified, -1 to 1."""
        return (self.gained - self.lost) / self.table.total


def _slice(start: float, length: float, pixels: int) -> slice:
    return slice(round(start / 100 * pixels), round((start + length) / 100 * pixels))
