"""Labels of any set, and the views that they say."""

import pytest

from cxrview.annotate.settle import label_view
from cxrview.terms import View


@pytest.mark.parametrize(
    ("label", "view"),
    [
        ("frontal", View.FRONTAL),
        ("PA", View.FRONTAL),
        ("ap", View.FRONTAL),
        ("Lateral", View.LATERAL),
        ("RL", View.LATERAL),
        ("LATERAL", View.LATERAL),
        (" l-lat ", View.LATERAL),
        ("PA LLD", View.FRONTAL),
        ("LLD", None),
        ("other", None),
        ("", None),
    ],
)
def test_a_label_says_a_view_by_its_name_or_its_projection(label, view):
    assert label_view(label) is view
