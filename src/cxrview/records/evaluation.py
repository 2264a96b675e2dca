"""Results of an evaluation: of a classifier, of an archive's result, and on modified images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrview.records.model_card import Cutoff
from cxrview.terms import LabelStatus, View


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
    """Counts of images by true view and by a classifier's view (paper, section 6)."""

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
        """Images whose view is correct."""
        return self.frontal_called_frontal + self.lateral_called_lateral

    @property
    def total(self) -> int:
        """All images."""
        return self.frontal + self.lateral

    @property
    def accuracy(self) -> float:
        """Share of correct images, 0 to 1."""
        return self.right / self.total

    @property
    def sensitivity(self) -> float | None:
        """Share of frontal images that are called frontal, 0 to 1; None if there are none."""
        return self.frontal_called_frontal / self.frontal if self.frontal else None

    @property
    def specificity(self) -> float | None:
        """Share of lateral images that are called lateral, 0 to 1; None if there are none."""
        return self.lateral_called_lateral / self.lateral if self.lateral else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The images that have a property in common, such as a source or a manufacturer."""

    kind: str
    """The property: `source`, `manufacturer`."""
    name: str
    """Its value; empty for images where it is unknown."""
    table: TwoByTwo
    interval: Interval
    """95 % Clopper-Pearson interval of the accuracy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Images of similar PFI, and the share of them that is frontal."""

    low: float
    """Percent; excluded, except that the first bin includes 0."""
    high: float
    """Percent; included."""
    images: int
    mean_pfi: float
    """Percent."""
    percent_frontal: float
    """Share of frontal images, in percent."""
    interval: Interval
    """95 % Clopper-Pearson interval of the share of frontal images, 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Accuracy and calibration of a classifier on images whose views are known."""

    cutoff: float
    """Frontal where PFI is at least this, in percent; usually chosen on other images."""
    table: TwoByTwo
    interval: Interval
    """95 % Clopper-Pearson interval of the accuracy."""
    slices: tuple[Slice, ...]
    best: Cutoff | None
    """The best cutoff on these images, for information; None if a view is missing."""
    reliability: tuple[ReliabilityBin, ...]
    """The bins with images, from low to high."""
    calibration_error: float
    """Expected calibration error, in percentage points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessed:
    """One classifier on one set of images with one rule for the cutoff: a row of the results."""

    classifier: str
    """`Scores.classifier`."""
    images: str
    """`inside`, `external`, or `both` together."""
    cutoff_from: str
    """`validation`, or `test` images (the paper's way); empty without a cutoff."""
    rule: str
    """`higher end` of Youden's maximising range (the paper's), `middle` of it (ours), or `at its
    word` for a header, whose view is used as it is and counts as wrong if it is missing."""
    assessment: Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRow:
    """One image of an annotation study with its row of a result."""

    path: str
    """Path as in the study."""
    stratum: str
    weight: float
    """Number of images of the archive that it represents."""
    is_settled: bool
    """Whether it has a label or an exclusion."""
    label_view: View | None
    """View by the readers; None if it is excluded, unsettled, or its label is not a view."""
    decision: str
    """Decision in the result; empty if the result has no row for it."""
    view: View | None
    """View in the result; None if there is none."""
    pfi: float | None = None
    image_id: str = ""
    """Random; see `StudyImage`."""
    patient: str = ""
    """Name or pseudonym; empty if unknown."""
    status: LabelStatus = LabelStatus.UNREAD
    reason: str = ""
    """Why it is excluded by the readers: one of `EXCLUSION_REASONS`; empty if it is not."""
    warnings: str = ""
    """Codes in the result, separated by semicolons."""
    model_id: str = ""
    """Of the result; empty if it has no row for the image."""

    @property
    def is_compared(self) -> bool:
        """Whether both readers and result have a decision on it."""
        return self.is_settled and bool(self.decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumCount:
    """Counts of one stratum."""

    name: str
    archive: float
    """Images of the archive in it: the sum of the weights of all sampled images."""
    drawn: int
    compared: int
    """Images among these that are settled and have a row."""
    with_view: int
    """Images among these that have a view by the readers and in the result."""
    wrong: int
    """Images among these whose two views differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledShare:
    """A share of images in the sample, and the estimate for the archive."""

    name: str
    """What is counted."""
    hits: int
    images: int
    """Images that `hits` are counted among, at least 1."""
    interval: Interval
    """95 % Clopper-Pearson interval of `hits` in `images`, without weights."""
    weighted: float
    """Estimate for the archive, 0 to 1: the shares of the strata weighted by their images."""
    weighted_interval: Interval
    """Its 95 % interval; see `stats.weighted_interval`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveError:
    """How often a result is wrong in the archive that a study was sampled from."""

    strata: tuple[StratumCount, ...]
    shares: tuple[SampledShare, ...]
    """Wrong views first; shares without a compared image are left out."""
    wrong: tuple[LabelledRow, ...]
    """Images whose view differs from the readers', those with the most extreme PFI first."""
    unsettled: int
    without_row: int
    """Settled images of the study without a row in the result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in an image of any size, in percent of its rows and columns."""

    row: float
    """Upper edge, 0 at the top."""
    column: float
    """Left edge, 0 at the left of the image."""
    rows: float
    columns: float

    def __post_init__(self) -> None:
        for name, start, length in (
            ("rows", self.row, self.rows),
            ("columns", self.column, self.columns),
        ):
            # Sums of the pixels' shares may miss 100 because of rounding.
            if not (start >= 0 and length > 0 and start + length <= 100 + 1e-9):
                raise ValueError(f"a box must be within the image, 0 to 100 percent of its {name}")

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
        """Give its rows and columns in an image of that shape, to the nearest pixel.

        Raises:
            ValueError: it is thinner than a pixel there.
        """
        down = _slice(self.row, self.rows, shape[0])
        across = _slice(self.column, self.columns, shape[1])
        if down.start == down.stop or across.start == across.stop:
            raise ValueError("a box must contain at least one pixel")
        return down, across


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifiedImage:
    """One modified radiograph and its PFI: an image of the paper's Fig 6."""

    modification: str
    """Such as `rotation`; `unmodified` for the original."""
    severity: str
    """Such as `10`; empty if unmodified."""
    title: str
    """Such as `rotated by 10°`."""
    pixels: NDArray[np.uint8]
    """Shape (side, side), uint8."""
    pfi: float
    """Percent, 0 to 100."""
    is_of_second: bool = False
    """Whether it is the PFI of the second model of a cascade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredCount:
    """How often a model answers `rotation`, `mirrored` or `inverted`, and is wrong."""

    answer: str
    images: int
    """All of one modification; of `mirrored`, the frontal ones."""
    answered: int
    """Above the threshold of the model card."""
    wrong: int | None
    """Answered and wrong; None where the truth is not defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifiedCount:
    """A classifier's results on the same images under one modification."""

    modification: str
    severity: str
    table: TwoByTwo
    interval: Interval
    """95 % Clopper-Pearson interval of the accuracy."""
    frontal_interval: Interval | None
    """Interval of the sensitivity for frontal; None if there are no frontal images."""
    lateral_interval: Interval | None
    lost: int
    """Images that are correct unmodified and wrong modified."""
    gained: int
    """The reverse."""
    drawn_from: int
    """Images that could have been modified; more than `table.total` if only a sample was."""
    poses: tuple[AnsweredCount, ...] = ()
    """Turn, mirroring and inversion; empty for a model that does not answer these."""

    def __post_init__(self) -> None:
        if self.drawn_from < self.table.total:
            raise ValueError(f"{self.table.total} images cannot come from {self.drawn_from}")

    @property
    def difference(self) -> float:
        """Accuracy minus that of the same images unmodified, -1 to 1."""
        return (self.gained - self.lost) / self.table.total


def _slice(start: float, length: float, pixels: int) -> slice:
    return slice(round(start / 100 * pixels), round((start + length) / 100 * pixels))
