"""The header as a classifier: it is right where it names the true view.

A header that names no view counts as an error, since an image that cannot be sorted is as wrong as
one that is sorted wrongly; `slices` counts the two separately.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cxrview.assess.accuracy import (
    calibration_error,
    count_two_by_two,
    reliability_curve,
    slice_images,
)
from cxrview.records import Assessment
from cxrview.stats import exact_interval
from cxrview.terms import View

CLAIM = "header_view"
"""The kind of slice: `frontal`, `lateral`, or empty if the header names none."""
SILENT_PFI = 50.0
"""Percent: where the header names no view, both are taken as equally likely."""


def claimed_pfi(claims: NDArray[np.str_]) -> NDArray[np.float64]:
    """The view in a header as a probability of frontal.

    Args:
        claims: shape (n,), `frontal`, `lateral`, or empty if the header names none.

    Returns:
        Shape (n,), percent: 100, 0 or SILENT_PFI.
    """
    sides = np.where(claims == View.FRONTAL, 100.0, 0.0)
    return np.where(claims == "", SILENT_PFI, sides)


def assess_claims(
    claims: NDArray[np.str_],
    is_frontal: NDArray[np.bool_],
    *,
    kinds: Mapping[str, NDArray[np.str_]] | None = None,
) -> Assessment:
    """Assess headers as a classifier; one that names no view counts as naming the wrong one.

    Args:
        claims: shape (n,), `frontal`, `lateral`, or empty if the header names none.
        is_frontal: shape (n,), the truth.
        kinds: what to slice by, each of shape (n,); CLAIM is always among them.

    Returns:
        `best` is None, since a header has no cutoff to choose; `cutoff` is SILENT_PFI.

    Raises:
        ValueError: no image, or arrays of different lengths.
    """
    reliability = reliability_curve(claimed_pfi(claims), is_frontal)
    is_called_frontal = np.where(claims == "", ~is_frontal, claims == View.FRONTAL)
    table = count_two_by_two(is_called_frontal, is_frontal)
    return Assessment(
        cutoff=SILENT_PFI,
        table=table,
        interval=exact_interval(table.right, table.total),
        slices=tuple(
            one
            for kind, names in {**(kinds or {}), CLAIM: claims}.items()
            for one in slice_images(kind, names, is_called_frontal, is_frontal)
        ),
        best=None,
        reliability=reliability,
        calibration_error=calibration_error(reliability),
    )
