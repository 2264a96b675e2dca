"""Captions of the figures: the paper's six (section 7) and ours."""

from collections.abc import Iterable
from dataclasses import dataclass

from cxrview.reports.figures.radiographs import MAX_IMAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """Title and caption of a figure, whether or not a run has drawn it."""

    name: str
    """Key in `Reproduction.figures`, or the beginning of such a key before a hyphen."""
    title: str
    words: str
    has_radiographs: bool = False


CAPTIONS = {
    caption.name: caption
    for caption in (
        Caption(
            name="fig-1",
            title="Fig 1",
            words="Flow of images through collection, selection, split and models, with this "
            "run's own counts.",
        ),
        Caption(
            name="fig-2",
            title="Fig 2",
            words="Validation accuracy of the candidates, grouped, with bars for 95 % confidence "
            "intervals, and the pooled comparisons with p.",
        ),
        Caption(
            name="fig-3",
            title="Fig 3",
            words="Histogram of PFI, the probability of frontal, over the test images, in bins of "
            "1 %, shaded by true class.",
        ),
        Caption(
            name="fig-4",
            title="Fig 4",
            words="Example frontal and lateral test images with both probabilities.",
            has_radiographs=True,
        ),
        Caption(
            name="fig-5",
            title="Fig 5",
            words="Youden's J against the cutoff, in steps of 0.1 %, with the empty band marked.",
        ),
        Caption(
            name="fig-6",
            title="Fig 6",
            words="One frontal and one lateral image, as they were and with four modifications: "
            "text labels, rotation, half obscured, cropped; with probabilities.",
            has_radiographs=True,
        ),
        Caption(
            name="calibration",
            title="Calibration",
            words="Share of images that are frontal against the PFI that they were given. Not in "
            "the paper.",
        ),
        Caption(
            name="failures",
            title="Failures",
            words="Test images that the chosen candidate got wrong by the higher end of the range "
            f"of cutoffs or by its middle, the surest first, {MAX_IMAGES} at the most. Not in the "
            "paper.",
            has_radiographs=True,
        ),
    )
}


def names_under(caption: Caption, names: Iterable[str]) -> list[str]:
    """Select the names of this figure and of its parts, such as `fig-3-external`."""
    return [name for name in names if name == caption.name or name.startswith(f"{caption.name}-")]


def caption_of(name: str) -> Caption | None:
    """Find the caption of a name; None if there is none."""
    return next((caption for caption in CAPTIONS.values() if names_under(caption, [name])), None)
