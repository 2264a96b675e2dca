"""The header itself as a classifier: taken at its word, and silence counted as wrong.

Who files radiographs by their headers gets no answer where these say nothing: an image that
stays unfiled is an error like one that is filed wrongly, and `slices` tells the two apart.
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
"""The kind of slice: `frontal`, `lateral`, or empty where the header is silent."""
SILENT_PFI = 50.0
"""Percent: a header that says nothing leaves both views as likely."""


def claimed_pfi(claims: NDArray[np.str_]) -> NDArray[np.float64]:
    """What a header's claim means as a probability of frontal.

    Args:
        claims: shape (n,), `frontal`, `lateral`, or empty where it makes none.

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
    """Assess headers at their word; a silent one counts as calling the other view.

    Args:
        claims: shape (n,), `frontal`, `lateral`, or empty where the header makes no claim.
        is_frontal: shape (n,), the truth.
        kinds: what to slice by, each of shape (n,); CLAIM is always among them.

    Returns:
        Without `best`: a claim has no cutoff to choose, and `cutoff` stands at SILENT_PFI.

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
