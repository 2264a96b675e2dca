"""`--max-error` and `--calibration`: what they make of the review band, and what a run records."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cxrview
from cxrview.classify.calibration_file import write_calibration
from cxrview.classify.conditions import conditions_of, decision_conditions
from cxrview.classify.promise import Promise
from cxrview.errors import InvalidModel, UsageError
from cxrview.records.calibration import Calibration, HeadCalibration
from cxrview.records.risk_curve import Head, RiskCurve

CURVE = RiskCurve(thresholds=(99.5, 90.0), decided=(3000, 4000), errors=(0, 20))
FEW = RiskCurve(thresholds=(99.5,), decided=(100,), errors=(0,))


@pytest.fixture(scope="module")
def model() -> cxrview.Model:
    """A single model, whose cutoff is above 60."""
    found = cxrview.load_model("googlenet", precision="fp32")
    return dataclasses.replace(found, card=dataclasses.replace(found.card, risk_curves={}))


@pytest.fixture
def calibration(model) -> Calibration:
    """Made under the usual settings: 99.5 % keeps an error of 0.1 %."""
    conditions = decision_conditions(model.card, cxrview.ClassifyOptions())
    return Calibration(
        model_id=model.card.model_id,
        precision=model.card.precision,
        conditions=conditions,
        heads={
            Head.VIEW: HeadCalibration(
                threshold=99.5, max_error=0.001, confidence=0.95, patients=4100, curve=CURVE
            ),
            Head.PROJECTION: HeadCalibration(
                threshold=None, max_error=0.02, confidence=0.9, patients=100, curve=FEW
            ),
        },
    )


def with_curves(model, **curves) -> cxrview.ModelCard:
    return dataclasses.replace(
        model.card, risk_curves={Head(name): curve for name, curve in curves.items()}
    )


def test_resolved_takes_band_of_a_calibration(model, calibration):
    options = cxrview.ClassifyOptions(calibration=calibration, key=b"key")

    found = options.resolved(model.card)

    assert found.review_band == (0.5, 99.5)
    assert found.thresholds == {Head.VIEW: 99.5, Head.PROJECTION: None}
    assert found.resolved(model.card) == found


@pytest.mark.parametrize(("max_error", "band"), [(0.001, (0.5, 99.5)), (0.01, (10.0, 90.0))])
def test_resolved_takes_band_of_the_curve_in_the_card(model, max_error, band):
    card = with_curves(model, view=CURVE, projection=FEW)

    found = cxrview.ClassifyOptions(max_error=max_error, key=b"key").resolved(card)

    assert found.review_band == band
    assert found.thresholds == {Head.VIEW: band[1], Head.PROJECTION: None}


def test_resolved_takes_no_band_of_the_card_that_leaves_out_its_cutoff(model):
    """The cutoff of the model is above 60, and 55 would keep the promise, too."""
    loose = RiskCurve(thresholds=(99.5, 70.0, 55.0), decided=(3000, 4000, 5000), errors=(0, 0, 0))
    loosest = RiskCurve(thresholds=(55.0,), decided=(5000,), errors=(0,))
    options = cxrview.ClassifyOptions(max_error=0.01, key=b"key")

    assert options.resolved(with_curves(model, view=loose)).review_band == (30.0, 70.0)
    with pytest.raises(UsageError, match="cannot show"):
        options.resolved(with_curves(model, view=loosest))


def test_resolved_without_a_promise_takes_band_of_the_card(model):
    found = cxrview.ClassifyOptions(key=b"key").resolved(model.card)

    assert (found.review_band, dict(found.thresholds)) == (model.card.review_band, {})


def test_resolved_refuses_card_that_cannot_promise(model):
    for card, why in ((model.card, "no counts"), (with_curves(model, view=FEW), "100 calibration")):
        with pytest.raises(UsageError, match=why):
            cxrview.ClassifyOptions(max_error=0.001, key=b"key").resolved(card)


def test_resolved_refuses_promise_of_the_card_with_another_chest_cutoff(model):
    card = dataclasses.replace(with_curves(model, view=CURVE), chest_cutoff=40.0)
    same = cxrview.ClassifyOptions(max_error=0.01, chest_cutoff=40.0, key=b"key")
    other = cxrview.ClassifyOptions(max_error=0.01, chest_cutoff=0.0, key=b"key")

    assert same.resolved(card).review_band == (10.0, 90.0)
    with pytest.raises(UsageError, match="--max-error.*--chest-cutoff"):
        other.resolved(card)


@pytest.mark.parametrize(
    "settings", [{"exact": True}, {"chest_cutoff": 0.0}, {"skip_by_header": False}]
)
def test_resolved_refuses_calibration_under_other_settings(model, calibration, settings):
    options = cxrview.ClassifyOptions(calibration=calibration, key=b"key", **settings)

    with pytest.raises(UsageError, match="other settings"):
        options.resolved(model.card)


def test_resolved_refuses_calibration_of_another_model(model, calibration):
    other = dataclasses.replace(model.card, model_id="other-1")

    with pytest.raises(UsageError, match="other-1"):
        cxrview.ClassifyOptions(calibration=calibration, key=b"key").resolved(other)


@pytest.mark.parametrize(
    "settings",
    [
        {"review_band": (2, 98), "max_error": 0.01},
        {"review_band": cxrview.NO_REVIEW, "calibration": Path("a.json")},
        {"max_error": 0.01, "calibration": Path("a.json")},
        {"max_error": 0.0},
        {"max_error": 1.0},
    ],
)
def test_classify_options_refuses_settings_that_exclude_each_other(settings):
    with pytest.raises(UsageError):
        cxrview.ClassifyOptions(**settings)


def test_resolved_in_a_cascade_needs_calibration_of_both_models(model, calibration):
    """The answers of a cascade also depend on the second model and on what it decides."""
    first = dataclasses.replace(model.card, second="other")
    second = dataclasses.replace(model.card, model_id="second-1", cutoff=40.0)
    both = dataclasses.replace(
        calibration, conditions=decision_conditions(first, cxrview.ClassifyOptions(), second)
    )
    wider = dataclasses.replace(first, review_band=(1.0, 99.0))

    found = cxrview.ClassifyOptions(calibration=both, key=b"key").resolved(first, second=second)

    assert found.review_band == (0.5, 99.5)
    for of, cards in ((calibration, (first, second)), (both, (wider, second))):
        with pytest.raises(UsageError, match="border"):
            cxrview.ClassifyOptions(calibration=of, key=b"key").resolved(cards[0], second=cards[1])
    with pytest.raises(UsageError, match="second_model"):
        cxrview.ClassifyOptions(calibration=both, key=b"key").resolved(model.card)


def test_resolved_in_a_cascade_refuses_the_cutoff_of_one_model_for_both(model, calibration):
    first = dataclasses.replace(model.card, second="other", chest_cutoff=70.0)
    second = dataclasses.replace(model.card, model_id="second-1", chest_cutoff=40.0)
    conditions = decision_conditions(first, cxrview.ClassifyOptions(), second)
    both = dataclasses.replace(calibration, conditions=conditions)
    options = cxrview.ClassifyOptions(calibration=both, key=b"key", chest_cutoff=70.0)

    with pytest.raises(UsageError, match="chest_cutoff"):
        options.resolved(first, second=second)


def test_resolved_takes_promise_of_a_card_only_with_the_second_model_that_it_counted(model):
    """The curve of a cascade counts the answers of both models."""
    curves = with_curves(model, view=CURVE)
    card = dataclasses.replace(curves, second="other", second_model_id="second-1")
    second = dataclasses.replace(model.card, model_id="second-1")
    options = cxrview.ClassifyOptions(max_error=0.01, key=b"key")

    assert options.resolved(card, second=second).review_band == (10.0, 90.0)
    for of, behind in (
        (card, dataclasses.replace(second, model_id="second-2")),
        (card, None),
        (curves, second),
    ):
        with pytest.raises(UsageError, match="together with"):
            options.resolved(of, second=behind)


def test_resolved_takes_no_band_of_the_card_that_leaves_out_the_cutoff_of_the_second_model(model):
    """The cutoff of the first model is at 65, that of the second at 20: at least 80 is needed."""
    loose = RiskCurve(thresholds=(99.5, 80.0, 70.0), decided=(3000, 4000, 5000), errors=(0, 0, 0))
    first = dataclasses.replace(
        with_curves(model, view=loose), cutoff=65.0, second="other", second_model_id="second-1"
    )
    second = dataclasses.replace(model.card, model_id="second-1", cutoff=20.0)

    found = cxrview.ClassifyOptions(max_error=0.01, key=b"key").resolved(first, second=second)

    assert found.review_band == (20.0, 80.0)


def test_resolved_names_the_least_error_that_the_card_can_show(model):
    """By hand: 1 - 0.05 ** (1 / 100) = 0.02951 for 100 images without an error."""
    with pytest.raises(UsageError) as caught:
        cxrview.ClassifyOptions(max_error=0.001, key=b"key").resolved(with_curves(model, view=FEW))

    assert "--max-error 0.02952" in caught.value.advice
    options = cxrview.ClassifyOptions(max_error=0.02952, key=b"key")
    assert options.resolved(with_curves(model, view=FEW)).review_band == (0.5, 99.5)


def promise(threshold: float | None) -> Promise:
    return Promise(thresholds={Head.VIEW: threshold}, words="", origin="")


def test_review_band_decides_nothing_without_a_threshold(model):
    assert promise(None).review_band(model.card) == (0, 100)


def test_review_band_is_none_for_a_promise_of_another_head(model):
    other = Promise(thresholds={Head.ROTATION: 60.0}, words="", origin="")

    assert other.review_band(model.card) is None


def test_review_band_holds_the_cutoff(model):
    with pytest.raises(InvalidModel):
        promise(55.0).review_band(model.card)  # its cutoff is above 60
    with pytest.raises(InvalidModel, match="other-1"):
        promise(70.0).review_band(
            model.card, dataclasses.replace(model.card, model_id="other-1", cutoff=20.0)
        )


@pytest.mark.parametrize("threshold", [50.0, 60.123, 98.0, 99.999])
def test_review_band_decides_what_the_threshold_decides(model, threshold):
    """By hand: probabilities of the answer that are one digit below, at and above the threshold."""
    card = dataclasses.replace(model.card, cutoff=50.0)
    low, high = promise(threshold).review_band(card)

    for thousandth, is_decided in ((-1, False), (0, False), (1, True)):
        percent = round(threshold + thousandth / 1000, 3)
        for pfi in (percent, round(100 - percent, 3)):
            if percent >= 50:
                assert (not low <= pfi <= high) == is_decided


def test_conditions_of_name_promise_only_where_there_is_one(model, calibration):
    plain, promised = (
        conditions_of(["a"], model, options.resolved(model.card))
        for options in (
            cxrview.ClassifyOptions(key=b"key"),
            cxrview.ClassifyOptions(key=b"key", calibration=calibration),
        )
    )

    assert set(promised) - set(plain) == {"max_error", "calibration", "promised_thresholds"}
    assert promised["review_band"] == "0.5 99.5"
    assert promised["max_error"] == "projection 0.02 at 0.9, view 0.001 at 0.95"
    assert promised["promised_thresholds"] == "projection none, view 99.5"


@pytest.fixture
def archive(tmp_path, monkeypatch) -> Path:
    """Two pictures of noise."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    Path("archive").mkdir()
    for name, pixels in zip(
        "ab", np.random.default_rng(0).integers(0, 256, (2, 64, 64)), strict=True
    ):
        Image.fromarray(pixels.astype(np.uint8)).save(f"archive/{name}.png")
    return Path("archive")


def test_classify_records_the_promise_and_resumes_only_under_it(archive, model, calibration):
    write_calibration(Path("calibration.json"), calibration)
    given = {"model": model, "out": "views.csv", "calibration": "calibration.json"}

    stopped = cxrview.classify(archive, **given, is_time_up=lambda: True)

    assert not stopped.summary.is_complete
    with pytest.raises(UsageError, match="--calibration"):
        cxrview.classify(archive, model=model, out="views.csv", resume=True)
    cxrview.classify(archive, **given, resume=True)
    conditions = json.loads(Path("views.summary.json").read_text())["conditions"]
    assert (conditions["review_band"], conditions["promised_thresholds"]) == (
        "0.5 99.5",
        "projection none, view 99.5",
    )


def test_iter_classify_sends_to_review_what_the_threshold_does_not_decide(archive, model):
    """A threshold of 100 % decides nothing."""
    nothing = RiskCurve(thresholds=(100.0,), decided=(3000,), errors=(0,))
    card = dataclasses.replace(with_curves(model, view=nothing), chest_cutoff=0.0)
    strict = dataclasses.replace(model, card=card)

    found = cxrview.iter_classify(archive, model=strict, max_error=0.001)

    assert [one.decision for one in found] == [cxrview.Decision.REVIEW] * 2
