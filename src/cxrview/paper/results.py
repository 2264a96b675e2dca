"""The results of a run of the study, from which page and checklist are made."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cxrview.assess.classifiers import (
    AS_NAMED,
    BOTH,
    EXTERNAL,
    HIGHER_END,
    INSIDE,
    VALIDATION,
)
from cxrview.paper.candidates import Candidate
from cxrview.paper.compare import ComparisonResult, choose_candidate, choose_cutoff
from cxrview.paper.earlier_run import EarlierRun
from cxrview.paper.figures.flow import Flow
from cxrview.paper.scale import Scale
from cxrview.paper.top_1 import Top1
from cxrview.records.evaluation import Assessed, ModifiedCount
from cxrview.records.model_card import Cutoff
from cxrview.records.scores import Scores

_SOFTWARE = ("cxrview", "torch", "numpy", "scipy", "scikit-learn", "pydicom", "pillow")


def installed_software(names: Sequence[str] = _SOFTWARE) -> dict[str, str]:
    """Give the installed versions of the packages that a study depends on."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def first_of(rows: Iterable[Assessed], images: str) -> Assessed | None:
    """Find the main row of one classifier: with its cutoff from validation images.

    The cutoff is the higher end of the range, as in the paper; a header has no cutoff.

    Args:
        rows: of one classifier.
        images: `Assessed.images`.
    """
    for one in rows:
        is_first = (one.cutoff_from, one.rule) == (VALIDATION, HIGHER_END)
        if one.images == images and (is_first or one.rule == AS_NAMED):
            return one
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreTrainedTop1:
    """Top-1 of a model on grey validation pictures, before and after grey pre-training."""

    before: Top1
    after: Top1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """One run of the paper's study, from its images to its figures."""

    version: str
    """Version of cxrview."""
    date: datetime.date
    """The day when the run ended."""
    seed: int
    scale: Scale
    """Its words are at the top of the page, and its name is above every table."""
    is_drawn: bool
    """The radiographs are drawn phantoms, so nothing is about patients."""
    split_by: str
    """`patient`, `image` or `rule`, as `Split.by`."""
    sources: tuple[str, ...]
    """Sources of the inside images, as the labels file names them."""
    flow: Flow
    """Counts of images at each step, as in Fig 1."""
    validated: Mapping[Candidate, Scores]
    """Scores of all trained candidates on validation images."""
    compared: tuple[ComparisonResult, ...]
    """Results of `compare_candidates`, in the paper's order."""
    assessed: tuple[Assessed, ...]
    """The chosen candidate, under its name, and the baselines on test images."""
    pre_trained: Mapping[str, PreTrainedTop1] = field(default_factory=dict)
    """Of the grey pre-trainings, by name."""
    earlier: EarlierRun | None = None
    """Shown beside this run, in columns of their own."""
    modified: tuple[ModifiedCount, ...] = ()
    """The chosen candidate on modified test images, unmodified first; empty if not assessed."""
    figures: Mapping[str, Path] = field(default_factory=dict)
    """SVG or PNG by name: `fig-1` to `fig-6`, `calibration`, `failures`, or one of these with a
    suffix, such as `fig-3-external`. The page says which are missing."""
    phantom_figures: frozenset[str] = frozenset()
    """Names of figures that show phantoms although the study is of patients."""
    differs: tuple[str, ...] = ()
    """Differences from the paper and their reasons, one sentence each."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Wall seconds by stage, in order."""
    images_per_second: float | None = None
    """From files to result rows; None if not measured."""
    as_published: bool = False
    """Images were compressed as JPEG before they were squashed, as in the paper."""
    external_in_labels: bool | None = None
    """External images are in the labels file of the inside ones, so that none may be of a patient
    in a partition; False if they are in another file, None if unknown."""
    machine: str = ""
    """The machine in words, such as `2 CPU cores`."""
    software: Mapping[str, str] = field(default_factory=dict)
    """Versions by package, of `installed_software`."""

    def __post_init__(self) -> None:
        if not self.validated:
            raise ValueError("a reproduction needs at least one validated candidate")
        chosen, drawn = self.chosen.name, self.flow.chosen.name
        if drawn != chosen:
            raise ValueError(
                f"the chosen candidate is {drawn} in the flow and {chosen} by the scores"
            )
        if not any(self.assessed_on(images) for images in (INSIDE, EXTERNAL)):
            raise ValueError(f"{chosen} was chosen but not assessed")

    @property
    def chosen(self) -> Candidate:
        """The candidate that the paper's rule chooses."""
        return choose_candidate(self.validated)

    @property
    def validation_cutoff(self) -> Cutoff:
        """Range of the best cutoffs on the chosen candidate's validation progenitors."""
        return choose_cutoff(self.validated[self.chosen])

    @property
    def test_images(self) -> str:
        """The largest set of test images: BOTH if there are two."""
        return next(one for one in (BOTH, INSIDE, EXTERNAL) if self.assessed_on(one))

    @property
    def headline(self) -> Assessed:
        """The main result: the chosen candidate on all `test_images`."""
        found = self.assessed_on(self.test_images)
        assert found is not None  # test_images is chosen so
        return found

    def assessed_on(self, images: str) -> Assessed | None:
        """The chosen candidate's `first_of` on a set of test images; None if not assessed."""
        return first_of(self.of_model, images)

    @property
    def of_model(self) -> tuple[Assessed, ...]:
        """The chosen candidate's results on test images."""
        name = self.chosen.name
        return tuple(one for one in self.assessed if one.classifier == name)
