import pytest

from cxrview.records.json_object import from_json, to_json
from cxrview.records.risk_curve import RiskCurve

GOOD = {"thresholds": (98.0, 60.5), "decided": (10, 40), "errors": (0, 2)}


def test_risk_curve_is_read_as_it_was_written():
    curve = RiskCurve(**GOOD)

    assert from_json(RiskCurve, to_json(curve)) == curve


@pytest.mark.parametrize(
    "changed",
    [
        {"thresholds": ()},
        {"thresholds": (98.0,)},
        {"thresholds": (60.5, 98.0)},
        {"thresholds": (98.0, 98.0)},
        {"thresholds": (98.0, 40.0)},
        {"decided": (41, 40)},
        {"errors": (2, 0)},
        {"errors": (-1, 2)},
        {"errors": (0, 41)},
    ],
)
def test_risk_curve_refuses_counts_that_no_images_have(changed):
    with pytest.raises(ValueError):
        RiskCurve(**GOOD | changed)
