"""`cxrview calibrate` on a small archive that two readers have read."""

import json
from pathlib import Path

import pytest

from cxrview.classify.calibration_file import read_calibration
from cxrview.errors import UsageError
from cxrview.records.risk_curve import Head
from cxrview.results.columns import COLUMNS
from cxrview.results.tables import each_row, write_table

CONDITIONS = {
    "model": "test-1",
    "weights_sha256": "00",
    "precision": "fp32",
    "cutoff": "50.0",
    "reader": "fast",
    "chest_cutoff": "None",
    "chest_rule": "version 1",
}
COUNTS = dict.fromkeys(
    (
        *("found", "classified", "review", "skipped", "failed", "frontal", "lateral"),
        *("named_again", "seconds"),
    ),
    0,
)


@pytest.fixture
def calibrated(room):
    """The room's result with the model and the summary of a run; the conflict is adjudicated."""
    rows = [{**row, "model_id": "test-1"} for row in each_row(Path("views.parquet"))]
    write_table(Path("views.parquet"), rows, COLUMNS)
    summary = COUNTS | {"is_complete": True, "table": "views.parquet", "conditions": CONDITIONS}
    Path("views.summary.json").write_text(json.dumps(summary))
    said = [
        (room.file(k), reader, room.view(k))
        for k in range(room.images)
        for reader in ("anna", "ben")
    ]
    room.write_csv("readings.csv", ("file", "reader", "label"), said)
    room.create_read()
    return room


def test_calibrate_writes_threshold_and_prints_it(calibrated):
    """One of each of twenty patients; 4 is wrong unless its patient is counted by the other."""
    said = calibrated.run(
        "calibrate views.parquet --labels study.db --max-error 0.3 --out calibration.json"
    ).output

    one = read_calibration(Path("calibration.json")).heads[Head.VIEW]
    assert (one.patients, one.max_error, one.confidence) == (20, 0.3, 0.95)
    at = one.curve.thresholds.index(one.threshold)
    assert f"{one.curve.decided[at]} of 20" in said
    assert f"{one.threshold:g} %" in said
    assert "20 further images of patients" in said
    assert "--calibration calibration.json" in said


def test_calibrate_is_the_same_each_time(calibrated):
    for name in ("one.json", "two.json"):
        calibrated.run(f"calibrate views.parquet --labels study.db --max-error 0.3 --out {name}")

    assert Path("one.json").read_bytes() == Path("two.json").read_bytes()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ("--max-error 0.001", "needs 2,995 of them without an error"),
        ("--max-error 0.3 --confidence 0.9999999", "needs 46 of them"),
        ("--max-error 1", "above 0 and below 1"),
        ("--max-error 0.3 --confidence 0", "above 0 and below 1"),
    ],
)
def test_calibrate_refuses_promise_that_cannot_be_kept(calibrated, options, why):
    with pytest.raises(UsageError, match=why):
        calibrated.run(f"calibrate views.parquet --labels study.db {options} --out c.json")

    assert not Path("c.json").exists()


def test_calibrate_replaces_a_file_only_with_overwrite(calibrated):
    command = "calibrate views.parquet --labels study.db --max-error 0.3 --out calibration.json"
    calibrated.run(command)

    with pytest.raises(UsageError, match="already exists"):
        calibrated.run(command)
    calibrated.run(f"{command} --overwrite")


def test_calibrate_refuses_readers_who_disagree(calibrated):
    calibrated.run("annotate create second.db --from views.parquet --reader anna --reader ben")
    readings = [
        (calibrated.file(k), reader, "lateral" if (k, reader) == (0, "ben") else "frontal")
        for k in range(calibrated.images)
        for reader in ("anna", "ben")
    ]
    calibrated.write_csv("other.csv", ("file", "reader", "label"), readings)
    calibrated.run("annotate import second.db other.csv")

    with pytest.raises(UsageError, match="disagree about 1 image"):
        calibrated.run("calibrate views.parquet --labels second.db --max-error 0.3 --out c.json")


def test_calibrate_refuses_study_of_what_went_to_review(calibrated):
    calibrated.run(
        "annotate create some.db --from views.parquet --only review --reader anna --reader ben"
    )

    with pytest.raises(UsageError, match="decision review only"):
        calibrated.run("calibrate views.parquet --labels some.db --max-error 0.3 --out c.json")


def test_calibrate_refuses_result_of_several_models(calibrated):
    summary = json.loads(Path("views.summary.json").read_text())
    for changed, why in (
        ({"model": "test-1 + test-2"}, "not made by one model"),
        ({"model": "test-2"}, "another model"),
    ):
        text = json.dumps(summary | {"conditions": CONDITIONS | changed})
        Path("views.summary.json").write_text(text)

        with pytest.raises(UsageError, match=why):
            calibrated.run("calibrate views.parquet --labels study.db --max-error 0.3 --out c.json")


def test_calibrate_refuses_result_without_its_summary(calibrated):
    Path("views.summary.json").unlink()

    with pytest.raises(UsageError, match="summary"):
        calibrated.run("calibrate views.parquet --labels study.db --max-error 0.3 --out c.json")
