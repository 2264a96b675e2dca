import dataclasses
import json

import pytest

from cxrview.classify.calibration_file import (
    calibration_digest,
    need_same_conditions,
    read_calibration,
    write_calibration,
)
from cxrview.errors import UsageError
from cxrview.records.calibration import Calibration, HeadCalibration
from cxrview.records.risk_curve import Head, RiskCurve

CURVE = RiskCurve(thresholds=(98.5, 70.0), decided=(300, 400), errors=(0, 5))
VIEW = HeadCalibration(threshold=98.5, max_error=0.01, confidence=0.95, patients=410, curve=CURVE)
NONE = dataclasses.replace(VIEW, threshold=None, max_error=0.001)
CONDITIONS = {"model": "test-1", "precision": "fp32", "cutoff": "50.0", "reader": "fast"}
CALIBRATION = Calibration(
    model_id="test-1",
    precision="fp32",
    conditions=CONDITIONS,
    heads={Head.VIEW: VIEW, Head.PROJECTION: NONE},
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "calibration.json"
    write_calibration(path, CALIBRATION)
    return path


def test_calibration_is_read_as_it_was_written(path):
    found = read_calibration(path)

    assert found == CALIBRATION
    assert [type(head) for head in found.heads] == [Head, Head]
    assert calibration_digest(found) == calibration_digest(CALIBRATION)
    assert json.loads(path.read_text())["format"] == 1


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1}', '{"kind": "calibration", "format": 1}', "\x00"]
)
def test_read_calibration_refuses_another_file(tmp_path, text):
    (tmp_path / "other.json").write_text(text)

    with pytest.raises(UsageError, match=r"other\.json cannot be read as a calibration"):
        read_calibration(tmp_path / "other.json")


def test_read_calibration_refuses_missing_file(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_calibration(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"format": 2}, "this version"),
        ({"more": 1}, "more"),
        ({"heads": {}}, "at least one head"),
        ({"heads": {"colour": {}}}, "heads.colour"),
    ],
)
def test_read_calibration_refuses_content_of_another_version(path, changes, why):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    with pytest.raises(UsageError, match=why):
        read_calibration(path)


@pytest.mark.parametrize(
    "changes", [{"threshold": 70.0}, {"max_error": 0.001}, {"confidence": 0.999}, {"patients": 1}]
)
def test_read_calibration_refuses_promise_that_does_not_follow_from_the_counts(path, changes):
    content = json.loads(path.read_text())
    content["heads"]["view"] |= changes
    path.write_text(json.dumps(content))

    with pytest.raises(UsageError, match="cannot be read as a calibration"):
        read_calibration(path)


def test_need_same_conditions_takes_those_that_were_calibrated():
    need_same_conditions(CALIBRATION, CONDITIONS)


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"model": "test-2"}, "test-2"), ({"reader": "exact"}, "reader was fast, is exact")],
)
def test_need_same_conditions_refuses_others(changed, named):
    with pytest.raises(UsageError, match=named):
        need_same_conditions(CALIBRATION, CONDITIONS | changed)
