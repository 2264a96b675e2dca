"""Accuracy, two-by-two table and calibration of PFI, in all and by source or manufacturer."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrview.records.evaluation import Assessment, ReliabilityBin, Slice, TwoByTwo
from cxrview.stats import exact_interval, youden_cutoff
from cxrview.wording import plural

BINS = 10


def assess_pfi(
    pfi: NDArray[np.float64],
    is_frontal: NDArray[np.bool_],
    *,
    cutoff: float,
    kinds: Mapping[str, NDArray[np.str_]] | None = None,
    bins: int = BINS,
) -> Assessment:
    """Assess a classifier on images that it was not trained on; every image is decided.

    Args:
        pfi: shape (n,), probability of frontal in percent, 0 to 100.
        is_frontal: shape (n,), the truth.
        cutoff: percent; frontal if PFI is at least this. The paper takes it from these same
            images (`best.high` of the result).
            kinds: names to slice by, such as `source` or `manufacturer`, each of shape (n,).
            bins: number of bins of the reliability curve.

    Raises:
        ValueError: the arrays are empty or differ in length, or a PFI or cutoff is outside 0 to
        100.

    Source:
        Paper, section 6.
    """
    if not 0 <= cutoff <= 100:
        raise ValueError(f"a cutoff is a percentage, 0 to 100; got {cutoff}")
    reliability = reliability_curve(pfi, is_frontal, bins=bins)
    is_called_frontal = pfi >= cutoff
    table = count_two_by_two(is_called_frontal, is_frontal)
    has_both = bool(is_frontal.any() and not is_frontal.all())
    return Assessment(
        cutoff=cutoff,
        table=table,
        interval=exact_interval(table.right, table.total),
        slices=tuple(
            one
            for kind, names in (kinds or {}).items()
            for one in slice_images(kind, names, is_called_frontal, is_frontal)
        ),
        best=youden_cutoff(pfi, is_frontal) if has_both else None,
        reliability=reliability,
        calibration_error=calibration_error(reliability),
    )


def count_two_by_two(
    is_called_frontal: NDArray[np.bool_], is_frontal: NDArray[np.bool_]
) -> TwoByTwo:
    """Count images by true view and by the view that the classifier names.

    Args:
        is_called_frontal: shape (n,), the view that the classifier names.
        is_frontal: shape (n,), the truth.

    Raises:
        ValueError: no image, or arrays of different lengths.
    """
    _check_lengths(is_called_frontal, is_frontal)
    return TwoByTwo(
        frontal_called_frontal=int((is_frontal & is_called_frontal).sum()),
        frontal_called_lateral=int((is_frontal & ~is_called_frontal).sum()),
        lateral_called_frontal=int((~is_frontal & is_called_frontal).sum()),
        lateral_called_lateral=int((~is_frontal & ~is_called_frontal).sum()),
    )


def slice_images(
    kind: str,
    names: NDArray[np.str_],
    is_called_frontal: NDArray[np.bool_],
    is_frontal: NDArray[np.bool_],
) -> tuple[Slice, ...]:
    """Count right and wrong images separately for each name of a kind.

    Args:
        kind: of the names, such as `source`.
        names: shape (n,); an empty name counts as a name.
        is_called_frontal: shape (n,), the view that the classifier names.
        is_frontal: shape (n,), the truth.

    Returns:
        In the order of the names.

    Raises:
        ValueError: arrays of different lengths.
    """
    _check_lengths(names, is_frontal)
    slices = []
    for name in np.unique(names):
        of = names == name
        table = count_two_by_two(is_called_frontal[of], is_frontal[of])
        interval = exact_interval(table.right, table.total)
        slices.append(Slice(kind=kind, name=str(name), table=table, interval=interval))
    return tuple(slices)


def reliability_curve(
    pfi: NDArray[np.float64], is_frontal: NDArray[np.bool_], *, bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """Compare PFI with the share of frontal images, in bins of equal width.

    Args:
        pfi: shape (n,), probability of frontal in percent, 0 to 100.
        is_frontal: shape (n,), the truth.
        bins: at least 1; the lower end is not part of a bin, except 0 of the first.

    Returns:
        Bins with at least one image, from low to high.

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
    """Compute the expected calibration error: mean difference of PFI and frontal share, over bins.

    Args:
        reliability: at least one bin, of `reliability_curve`.

    Returns:
        Percentage points, 0 to 100. It depends on the bins and is large for few images.

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


def _check_lengths(said: NDArray[np.generic], is_frontal: NDArray[np.bool_]) -> None:
    if said.shape != is_frontal.shape:
        raise ValueError(
            f"{plural(len(said), 'image has', 'images have')} {plural(len(is_frontal), 'truth')}"
        )
