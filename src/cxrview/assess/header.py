"""Assess the view in headers like a classifier: a header is right if it names the true view.

A header without a view counts as an error, since an image that cannot be sorted is no better than
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
from cxrview.records.evaluation import Assessment
from cxrview.stats import exact_interval
from cxrview.terms import View

CLAIM = "header_view"
"""The kind of slice: `frontal`, `lateral`, or empty if the header names none."""
SILENT_PFI = 50.0
"""Percent for headers without a view: both views are taken as equally likely."""


def claimed_pfi(claims: NDArray[np.str_]) -> NDArray[np.float64]:
    """Convert the views in headers to probabilities of frontal.

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
    """Assess headers as a classifier; a header without a view counts as wrong.

    Args:
        claims: shape (n,), `frontal`, `lateral`, or empty if the header names none.
        is_frontal: shape (n,), the truth.
        kinds: names to slice by, each of shape (n,); CLAIM is always added.

    Returns:
        `best` is None, since a header has no cutoff to choose; `cutoff` is SILENT_PFI.

    Raises:
        ValueError: the arrays are empty or differ in length.
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
