"""What words mean the same."""

import pytest

from cxrview.terms import View, view_of_label


@pytest.mark.parametrize(
    ("label", "view"),
    [
        ("frontal", View.FRONTAL),
        ("PA", View.FRONTAL),
        ("ap", View.FRONTAL),
        ("Lateral", View.LATERAL),
        ("RL", View.LATERAL),
        ("other", None),
        ("", None),
    ],
)
def test_a_label_says_a_view_by_its_name_or_its_projection(label, view):
    assert view_of_label(label) is view
