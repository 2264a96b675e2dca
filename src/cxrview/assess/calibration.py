"""Asks whether a PFI means what it says: of images with 80 %, are eighty in a hundred frontal?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cxrview.records import ReliabilityBin
from cxrview.stats import exact_interval
from cxrview.wording import plural

BINS = 10


def reliability_curve(
    pfi: NDArray[np.float64], is_frontal: NDArray[np.bool_], *, bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """Compare PFI with the share of frontal images, in bins of equal width.

    Args:
        pfi: shape (n,), probability of frontal in percent, 0 to 100.
        is_frontal: shape (n,), the truth.
        bins: at least 1; the lower end is not part of a bin, except 0 of the first.

    Returns:
        Bins that hold an image, from low to high.

    Raises:
        ValueError: no image, arrays of different lengths, a PFI outside 0 to 100 or not a
            number, or no bin.
    """
    if not len(pfi) or pfi.shape != is_frontal.shape:
        raise ValueError(
            f"{plural(len(pfi), 'image has', 'images have')} {plural(len(is_frontal), 'truth')}"
        )
    if not ((pfi >= 0) & (pfi <= 100)).all():
        raise ValueError("pfi is a percentage, 0 to 100")
    if bins < 1:
        raise ValueError(f"a curve has at least one bin; got {bins}")
    edges = 100 * np.arange(bins + 1) / bins  # exact where the edge is a whole number
    number = np.searchsorted(edges[1:-1], pfi, side="left")
    return tuple(_bin(edges, int(k), pfi, is_frontal, number == k) for k in np.unique(number))


def calibration_error(reliability: Sequence[ReliabilityBin]) -> float:
    """Expected calibration error: what PFI is off by on average over images, bin by bin.

    Args:
        reliability: at least one bin, of `reliability_curve`.

    Returns:
        Percentage points, 0 to 100. It depends on the bins, and few images make it large.

    Source:
        Naeini, Cooper, Hauskrecht 2015 (AAAI), for the probability of one class of two.
    """
    images = sum(one.images for one in reliability)
    off = (one.images * abs(one.mean_pfi - one.percent_frontal) for one in reliability)
    return sum(off) / images


def _bin(
    edges: NDArray[np.float64],
    number: int,
    pfi: NDArray[np.float64],
    is_frontal: NDArray[np.bool_],
    inside: NDArray[np.bool_],
) -> ReliabilityBin:
    images, frontal = int(inside.sum()), int(is_frontal[inside].sum())
    return ReliabilityBin(
        low=float(edges[number]),
        high=float(edges[number + 1]),
        images=images,
        mean_pfi=float(pfi[inside].mean()),
        percent_frontal=100 * frontal / images,
        interval=exact_interval(frontal, images),
    )
