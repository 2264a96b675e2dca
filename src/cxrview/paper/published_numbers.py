"""The paper's own figures, as literal data, to stand beside ours.

Sections are those of the paper's protocol, as everywhere in this package. What the paper
reports of its five comparisons stands with them, in `train.choose.COMPARISONS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CITATION = (
    "Rajkomar A, Lingam S, Taylor AG, Blum M, Mongan J. High-Throughput Classification of "
    "Radiographs Using Deep Convolutional Neural Networks. J Digit Imaging 2017;30:95-101"
)
DOI = "10.1007/s10278-016-9914-9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A share of images that the paper calls right."""

    percent: float
    section: str
    percent_interval: tuple[float, float] | None = None
    """95 %, where the paper gives it."""
    right: int | None = None
    total: int | None = None
    """Of the count, where the paper gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """Anything else that the paper reports."""

    value: float
    section: str


VALIDATED: Mapping[str, Reported] = {
    "grey/all-augmented": Reported(percent=99.73, percent_interval=(99.67, 99.78), section="5"),
}
"""By candidate: the paper gives an accuracy for the chosen one only."""

TESTED: Mapping[str, Reported] = {
    "inside": Reported(percent=100.0, right=377, total=377, section="6"),
    "external": Reported(percent=100.0, right=1000, total=1000, section="6"),
    "both": Reported(
        percent=100.0, percent_interval=(99.73, 100.0), right=1377, total=1377, section="6"
    ),
}
"""By test images."""

IMAGES: Mapping[str, Number] = {
    "collected": Number(value=1885, section="1"),
    "patients": Number(value=909, section="1"),
    "excluded": Number(value=3, section="1"),
    "training": Number(value=1129, section="1"),
    "validation": Number(value=376, section="1"),
    "test": Number(value=377, section="1"),
    "external": Number(value=1000, section="1"),
    "variants": Number(value=106, section="2"),
    "augmented training": Number(value=119_674, section="2"),
    "augmented validation": Number(value=39_856, section="2"),
}
"""How many there were."""

CUTOFF_LOW = Number(value=14.3, section="6")
CUTOFF = Number(value=99.6, section="6")
"""Percent: ends of the range where Youden's J is largest; the higher one is the cutoff, chosen
on the test images."""

IMAGES_PER_SECOND = Number(value=38, section="6")
"""Of the network alone; reading the images is not counted."""
