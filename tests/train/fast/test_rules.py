import numpy as np
import pytest

from cxrview.classify.risk_control import count_risk, usual_thresholds
from cxrview.records.model_card import ModelCard
from cxrview.records.risk_curve import Head
from cxrview.train.fast.pictures import open_pictures
from cxrview.train.fast.rules import BORDER, MAX_ERROR, NEVER, one_of_each_patient, with_rules

CARD = ModelCard(
    model_id="fast",
    weights_sha256="",
    input_side=256,
    cutoff=50.0,
    paper_cutoff=50.0,
    review_band=(40.0, 60.0),
    precision="",
)
CHEST = np.arange(1000) / 10
"""Percent, of a thousand radiographs."""


def curve(images: int, errors: int, error_percent: float = 60.0):
    """Images that are answered at 99 %, of which some are wrong, at another probability."""
    percent = np.full(images, 99.0)
    percent[:errors] = error_percent
    return count_risk(percent, np.arange(images) < errors, usual_thresholds())


def test_with_rules_answers_nothing_that_cannot_be_promised():
    """149 images without an error show 2 % at 95 %, as 0.98 ** 149 is below 0.05; 148 do not."""
    enough, too_few = curve(149, 0), curve(148, 0)
    assert MAX_ERROR[Head.MIRRORED] == MAX_ERROR[Head.PROJECTION] == 0.02

    ruled = with_rules(CARD, CHEST, [{Head.MIRRORED: enough, Head.PROJECTION: too_few}])

    assert ruled.thresholds["mirrored"] == 50
    assert ruled.thresholds["projection"] == NEVER
    assert ruled.thresholds["rotation"] == ruled.thresholds["inverted"] == NEVER


def test_with_rules_puts_the_threshold_above_errors_that_are_too_many():
    ruled = with_rules(CARD, CHEST, [{Head.ROTATION: curve(600, 30, error_percent=80.0)}])

    assert 80 <= ruled.thresholds["rotation"] < 98


def test_with_rules_hides_no_source_behind_a_large_one():
    """11 of 1,100 wrong keep 2 %, but 10 of the small source's 100 are no chance of 2 %."""
    large = {Head.MIRRORED: curve(1000, 1, error_percent=80.0)}
    small = {Head.MIRRORED: curve(100, 10, error_percent=80.0)}

    alone, both = (with_rules(CARD, CHEST, parts) for parts in ([large], [large, small]))

    assert alone.thresholds["mirrored"] == 50
    assert 80 <= both.thresholds["mirrored"] < 98
    assert both.risk_curves[Head.MIRRORED].decided[-1] == 1100
    assert both.risk_curves[Head.MIRRORED].errors[-1] == 11


def test_with_rules_takes_a_few_errors_of_a_small_source_for_chance():
    parts = [{Head.MIRRORED: curve(1000, 1)}, {Head.MIRRORED: curve(100, 4, error_percent=80.0)}]

    assert with_rules(CARD, CHEST, parts).thresholds["mirrored"] == 50


def test_with_rules_passes_on_one_radiograph_in_a_hundred():
    ruled = with_rules(CARD, CHEST, [])

    assert (ruled.chest_cutoff > CHEST).sum() == pytest.approx(10, abs=1)
    assert (ruled.review_band, ruled.second) == (BORDER, "googlenet")


def test_one_of_each_patient_takes_no_patient_twice(pictures_folder):
    pictures = open_pictures(pictures_folder)
    rows = np.arange(len(pictures.labels))

    chosen = one_of_each_patient(pictures, rows)

    patients = [pictures.labels[row].patient for row in chosen]
    assert len(set(patients)) == len(patients)
    assert set(patients) == {label.patient for label in pictures.labels}
    assert (one_of_each_patient(pictures, rows[::-1]) == chosen).all()
