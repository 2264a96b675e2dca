"""Codes of View Code Sequence, and which existing values agree with a view.

Source: PS3.16 CID 4010 (SNOMED CT); PS3.3 C.8.11.5.1.1 (View Code Sequence) and C.8.1.1 (View
Position).
"""

from functools import cache

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from cxrview.image.dicom.view_position import load_table
from cxrview.terms import Projection, View

CODES: dict[View | Projection, tuple[str, str]] = {
    View.FRONTAL: ("399033003", "frontal"),
    View.LATERAL: ("399067008", "lateral"),
    Projection.PA: ("272479007", "postero-anterior"),
    Projection.AP: ("399348003", "antero-posterior"),
    Projection.LL: ("399173006", "left lateral"),
    Projection.RL: ("399198007", "right lateral"),
}
"""SNOMED CT code and meaning. A model that tells frontal from lateral claims no more than that."""


@cache
def code_item(value: str, scheme: str, meaning: str) -> Dataset:
    """One item of a code sequence (PS3.3 table 8.8-1); not to be changed."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def view_code_sequence(view: View, projection: Projection | None) -> Sequence:
    """View Code Sequence (0054,0220) with its one item.

    Args:
        view: that was found.
        projection: where a person or a model decided it; its code is the more specific one.
    """
    value, meaning = CODES[projection or view]
    return Sequence([code_item(value, "SCT", meaning)])


def contradicts(position: str, view: View) -> bool:
    """Whether a View Position (0018,5101) names the other view.

    Args:
        position: as it stands; one of several values, joined by backslashes, is enough. Values that
            name neither view, such as LLD, contradict nothing.
        view: that was found.
    """
    views = {load_table().view_of(one, "")[0] for one in position.split("\\")}
    return bool(views - {None, view})


def view_of_codes(items: Sequence | None) -> View | None:
    """The view that a View Code Sequence names; None where it is absent, empty or unknown."""
    if not items:
        return None
    code = f"{items[0].get('CodeValue', '')}^{items[0].get('CodingSchemeDesignator', '')}"
    return load_table().view_of("", code)[0]
