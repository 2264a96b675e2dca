"""Counts what was right, of all images and of each source or manufacturer, with its interval."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.calibration import BINS, calibration_error, reliability_curve
from cxrview.records import Assessment, Slice, TwoByTwo
from cxrview.stats import exact_interval, youden_cutoff
from cxrview.wording import plural


def assess_pfi(
    pfi: NDArray[np.float64],
    is_frontal: NDArray[np.bool_],
    *,
    cutoff: float,
    kinds: Mapping[str, NDArray[np.str_]] | None = None,
    bins: int = BINS,
) -> Assessment:
    """Assess a classifier on images that it did not learn from; every image is decided.

    Args:
        pfi: shape (n,), probability of frontal in percent, 0 to 100.
        is_frontal: shape (n,), the truth.
        cutoff: percent; frontal where PFI is at least this. The paper's way is to take it from
            these very images (`best.high` of what is returned).
        kinds: what to slice by, such as `source` or `manufacturer`, each of shape (n,).
        bins: of the reliability curve.

    Raises:
        ValueError: no image, arrays of different lengths, or a PFI or cutoff outside 0 to 100.

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
    """Count images by truth and by call.

    Args:
        is_called_frontal: shape (n,), what the classifier says.
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
    """Count the images of each name apart.

    Args:
        kind: what the names are of, such as `source`.
        names: shape (n,); an empty one is a name like another.
        is_called_frontal: shape (n,), what the classifier says.
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


def _check_lengths(said: NDArray[np.generic], is_frontal: NDArray[np.bool_]) -> None:
    if said.shape != is_frontal.shape:
        raise ValueError(
            f"{plural(len(said), 'image has', 'images have')} {plural(len(is_frontal), 'truth')}"
        )
