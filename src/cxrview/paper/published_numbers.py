"""The paper's numbers, as literal data, for comparison with ours.

Sections are those of the paper's protocol, as everywhere in this package. The paper's results of
the five comparisons are in `paper.compare.COMPARISONS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CITATION = (
    "Rajkomar A, Lingam S, Taylor AG, Blum M, Mongan J. High-Throughput Classification of "
    "Radiographs Using Deep Convolutional Neural Networks. J Digit Imaging 2017;30:95-101"
)
DOI = "10.1007/s10278-016-9914-9"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedShare:
    """A share of correct images in the paper."""

    percent: float
    section: str
    percent_interval: tuple[float, float] | None = None
    """95 % interval, where the paper gives it."""
    right: int | None = None
    total: int | None = None
    """`right` of `total` images, where the paper gives the counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedNumber:
    """Another number in the paper."""

    value: float
    section: str


VALIDATED: Mapping[str, PublishedShare] = {
    "grey/all-augmented": PublishedShare(
        percent=99.73, percent_interval=(99.67, 99.78), section="5"
    ),
}
"""By candidate; the paper gives only the accuracy of the chosen one."""

TESTED: Mapping[str, PublishedShare] = {
    "inside": PublishedShare(percent=100.0, right=377, total=377, section="6"),
    "external": PublishedShare(percent=100.0, right=1000, total=1000, section="6"),
    "both": PublishedShare(
        percent=100.0, percent_interval=(99.73, 100.0), right=1377, total=1377, section="6"
    ),
}
"""By set of test images."""

IMAGES: Mapping[str, PublishedNumber] = {
    "collected": PublishedNumber(value=1885, section="1"),
    "patients": PublishedNumber(value=909, section="1"),
    "excluded": PublishedNumber(value=3, section="1"),
    "training": PublishedNumber(value=1129, section="1"),
    "validation": PublishedNumber(value=376, section="1"),
    "test": PublishedNumber(value=377, section="1"),
    "external": PublishedNumber(value=1000, section="1"),
    "variants": PublishedNumber(value=106, section="2"),
    "augmented training": PublishedNumber(value=119_674, section="2"),
    "augmented validation": PublishedNumber(value=39_856, section="2"),
}
"""Numbers of images and patients."""

CUTOFF_LOW = PublishedNumber(value=14.3, section="6")
CUTOFF = PublishedNumber(value=99.6, section="6")
"""Ends of the range where Youden's J is largest, in percent; the higher one is the cutoff, which
was chosen on the test images."""

IMAGES_PER_SECOND = PublishedNumber(value=38, section="6")
"""Of the model alone, without reading the images."""
