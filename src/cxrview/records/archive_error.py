"""How often a result is wrong about an archive, estimated from a sample that readers labelled."""

from dataclasses import dataclass

from cxrview.records.evaluation import Interval
from cxrview.terms import View


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
