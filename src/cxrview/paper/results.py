"""All that a run of the study leaves for people to read: what page and checklist are made from."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cxrview.assess.classifiers import (
    AT_ITS_WORD,
    BOTH,
    EXTERNAL,
    HIGHER_END,
    INSIDE,
    VALIDATION,
)
from cxrview.paper.candidates import Candidate
from cxrview.paper.compare import Compared, choose_candidate, choose_cutoff
from cxrview.paper.figures.flow import Flow
from cxrview.paper.scale import Scale
from cxrview.records import Assessed, Cutoff, ModifiedCount, Scores

_SOFTWARE = ("cxrview", "torch", "numpy", "scipy", "scikit-learn", "pydicom", "pillow")


def installed_software(names: Sequence[str] = _SOFTWARE) -> dict[str, str]:
    """Versions of the packages that a study rests on, as they are installed here."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def first_of(rows: Iterable[Assessed], images: str) -> Assessed | None:
    """The row of one classifier to look at first: its cutoff from validation images.

    By the paper's rule, the higher end of the range; a header, which has no cutoff, at its word.

    Args:
        rows: of one classifier.
        images: `Assessed.images`.
    """
    for one in rows:
        is_first = (one.cutoff_from, one.rule) == (VALIDATION, HIGHER_END)
        if one.images == images and (is_first or one.rule == AT_ITS_WORD):
            return one
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """One run of the paper's study, from its images to its figures."""

    version: str
    """Of cxrview."""
    date: datetime.date
    """When the run ended."""
    seed: int
    scale: Scale
    """Its words stand over the page; over every table its name, which leads there."""
    is_drawn: bool
    """The radiographs are drawn phantoms: nothing here is about patients."""
    split_by: str
    """`patient`, `image` or `rule`, as `Split.by`."""
    sources: tuple[str, ...]
    """Of the inside images, as the labels file names them."""
    flow: Flow
    """How many images went where, as Fig 1 draws it."""
    validated: Mapping[Candidate, Scores]
    """Of all candidates that were trained, on validation images."""
    compared: tuple[Compared, ...]
    """Of `compare_candidates`, in the paper's order."""
    assessed: tuple[Assessed, ...]
    """On test images: the chosen candidate, under its name, and the baselines."""
    modified: tuple[ModifiedCount, ...] = ()
    """The chosen candidate on modified test images, unmodified first; empty where not done."""
    figures: Mapping[str, Path] = field(default_factory=dict)
    """SVG or PNG by name: `fig-1` to `fig-6`, `calibration`, `failures`; a name may go on, as
    `fig-3-external` does. What is missing is said to be missing."""
    phantom_figures: frozenset[str] = frozenset()
    """Names of figures that show phantoms although the study was of patients."""
    differs: tuple[str, ...] = ()
    """What is not as in the paper, and why: a sentence each."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Stage to wall seconds, in order."""
    images_per_second: float | None = None
    """Files in, result rows out; None where not measured."""
    as_published: bool = False
    """Images were passed through lossy JPEG before they were squashed, as the paper's were."""
    external_in_labels: bool | None = None
    """External images stand in the labels file of the inside ones, so that none may be of a patient
    in a partition; False where in another file, None where it is not known."""
    machine: str = ""
    """What it ran on, in words, such as `2 CPU cores`."""
    software: Mapping[str, str] = field(default_factory=dict)
    """Package to version: `installed_software`."""

    def __post_init__(self) -> None:
        if not self.validated:
            raise ValueError("a reproduction has validated at least one candidate")
        chosen, drawn = self.chosen.name, self.flow.chosen.name
        if drawn != chosen:
            raise ValueError(f"the flow says that {drawn} was chosen, the scores say {chosen}")
        if not any(self.assessed_on(images) for images in (INSIDE, EXTERNAL)):
            raise ValueError(f"{chosen} was chosen and is not assessed")

    @property
    def chosen(self) -> Candidate:
        """The candidate that the paper's rule takes."""
        return choose_candidate(self.validated)

    @property
    def validation_cutoff(self) -> Cutoff:
        """Range of the best cutoffs on the chosen candidate's validation progenitors."""
        return choose_cutoff(self.validated[self.chosen])

    @property
    def test_images(self) -> str:
        """The largest set of test images: BOTH where there are two."""
        return next(one for one in (BOTH, INSIDE, EXTERNAL) if self.assessed_on(one))

    @property
    def headline(self) -> Assessed:
        """The row that a reader should look at first: the network on all `test_images`."""
        found = self.assessed_on(self.test_images)
        assert found is not None  # that is how test_images is chosen
        return found

    def assessed_on(self, images: str) -> Assessed | None:
        """The network on a set of test images, by the cutoff of `first_of`; None if it was not."""
        return first_of(self.of_network, images)

    @property
    def of_network(self) -> tuple[Assessed, ...]:
        """What the chosen candidate made of test images."""
        name = self.chosen.name
        return tuple(one for one in self.assessed if one.classifier == name)
