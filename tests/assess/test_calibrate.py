"""Thresholds of heads from labelled images of an archive."""

import math

import numpy as np
import pytest

from cxrview.assess.calibrate import (
    HeadAnswers,
    archive_thresholds,
    calibrate,
    choose_images,
    view_answers,
)
from cxrview.classify.risk_control import images_needed
from cxrview.errors import UsageError
from cxrview.records.evaluation import LabelledRow
from cxrview.records.risk_curve import Head
from cxrview.terms import Decision, LabelStatus, View

CONDITIONS = {"model": "test-1", "precision": "fp32"}


def row(number: int, **more) -> LabelledRow:
    """A frontal image of its own patient that the model called frontal."""
    usual = {
        "path": f"{number}.dcm",
        "image_id": f"{number * 7919 % 10**6:06}",
        "patient": f"p{number}",
        "stratum": "",
        "weight": 1.0,
        "is_settled": True,
        "status": LabelStatus.AGREED,
        "label_view": View.FRONTAL,
        "decision": Decision.CLASSIFIED,
        "view": View.FRONTAL,
        "pfi": 99.0,
    }
    return LabelledRow(**usual | more)


def head(percent, is_wrong, thresholds=(90.0,), head=Head.VIEW) -> HeadAnswers:
    return HeadAnswers(
        head=head,
        percent=np.array(percent, float),
        is_wrong=np.array(is_wrong, bool),
        thresholds=thresholds,
    )


def test_choose_images_keeps_one_image_of_each_patient():
    images = choose_images([row(k, patient=f"p{k % 3}") for k in range(30)])

    assert sorted(one.patient for one in images.rows) == ["p0", "p1", "p2"]
    assert images.same_patient == 27


def test_choose_images_counts_image_without_patient_as_one():
    images = choose_images([row(k, patient="") for k in range(4)])

    assert (len(images.rows), images.without_patient, images.same_patient) == (4, 4, 0)


def test_choose_images_leaves_out_what_has_no_truth_or_no_row():
    images = choose_images(
        [
            row(0),
            row(1, label_view=None, reason="not a chest radiograph"),
            row(2, label_view=None),  # another label than a view
            row(3, label_view=None, reason="uninterpretable"),
            row(4, label_view=None, is_settled=False, status=LabelStatus.UNREAD),
            row(5, decision="", view=None, pfi=None),
        ]
    )

    assert sorted(one.path for one in images.rows) == ["0.dcm", "1.dcm", "2.dcm"]
    assert (images.without_truth, images.unsettled, images.without_row) == (1, 1, 1)


def test_choose_images_refuses_conflicts_which_are_the_hardest():
    conflict = row(1, label_view=None, is_settled=False, status=LabelStatus.CONFLICT)

    with pytest.raises(UsageError, match="1 image"):
        choose_images([row(0), conflict])


def test_choose_images_keeps_strata_as_frequent_as_in_the_archive():
    """900 of 9,000 images were drawn, and all of 100: about 10 of these are kept."""
    rows = [row(k, stratum="classified", weight=10.0) for k in range(900)]
    rows += [row(k, stratum="review", weight=1.0) for k in range(900, 1000)]

    images = choose_images(rows)

    kept = sum(one.stratum == "review" for one in images.rows)
    assert sum(one.stratum == "classified" for one in images.rows) == 900
    assert 1 <= kept <= 20
    assert images.oversampled == 100 - kept


def test_choose_images_weights_a_stratum_of_which_half_is_read():
    """Read images of a stratum represent those that nobody has read yet."""
    unread = {"label_view": None, "is_settled": False, "status": LabelStatus.UNREAD}
    rows = [row(k, stratum="a") for k in range(1000)]
    rows += [row(k, stratum="b", **unread if k % 2 else {}) for k in range(1000, 2000)]

    kept = [one.stratum for one in choose_images(rows).rows]

    assert kept.count("b") == 500
    assert 440 < kept.count("a") < 560


@pytest.mark.parametrize(
    ("given", "percent", "is_wrong"),
    [
        ({}, 99.0, False),
        ({"label_view": View.LATERAL}, 99.0, True),
        ({"label_view": None}, 99.0, True),
        ({"pfi": 2.5, "view": View.LATERAL}, 97.5, True),
        ({"pfi": 60.0, "decision": Decision.REVIEW, "view": None}, 60.0, False),
        ({"decision": Decision.NOT_CHEST, "view": None}, 0.0, None),
        ({"decision": Decision.SKIPPED, "view": None, "pfi": None}, 0.0, None),
        ({"warnings": "a;constant_image", "decision": Decision.REVIEW, "view": None}, 0.0, None),
    ],
)
def test_view_answers_compares_the_more_probable_view(given, percent, is_wrong):
    answers = view_answers([row(0, **given)], np.array([99.0]), cutoffs=[60.0], needed=1)

    assert answers.percent.tolist() == [percent]
    assert is_wrong is None or answers.is_wrong.tolist() == [is_wrong]
    assert answers.thresholds == (60.0,)


@pytest.mark.parametrize("cutoff", [35.492, 50.0, 60.85, 64.25])
def test_view_answers_tries_no_band_that_leaves_out_the_cutoff(cutoff):
    pfi = np.round(np.random.default_rng(0).uniform(0, 100, 3000), 3)
    rows = [row(k, pfi=float(one)) for k, one in enumerate(pfi)]

    answers = view_answers(rows, pfi, cutoffs=[cutoff], needed=100)

    assert answers.thresholds[-1] == pytest.approx(max(cutoff, 100 - cutoff))
    assert round(100 - answers.thresholds[-1], 3) <= cutoff <= answers.thresholds[-1]
    assert len(answers.thresholds) > 30


def test_view_answers_tries_no_band_that_leaves_out_a_cutoff_of_two_models():
    answers = view_answers([row(0)], np.array([99.0]), cutoffs=[60.0, 25.0], needed=1)

    assert answers.thresholds == (75.0,)


def test_archive_thresholds_begin_where_enough_images_are_decided():
    """100,000 images of which 1,000 are calibrated and 300 are needed: 37.5 % of all."""
    percent = np.round(np.random.default_rng(0).uniform(50, 100, 100_000), 3)

    found = archive_thresholds(percent, 60.0, images=1000, needed=300)

    assert (percent > found[0]).mean() == pytest.approx(1.25 * 0.3, abs=0.001)
    assert found[-1] == 60.0
    assert list(found) == sorted(set(found), reverse=True)
    left = 1 - np.array([(percent > one).mean() for one in found[:-1]])
    assert left[1:] / left[:-1] == pytest.approx(left[1] / left[0], rel=0.01)


def test_archive_thresholds_decide_answers_that_are_all_alike():
    """As of a model that gives 100 % to nearly every image."""
    percent = np.array([100.0] * 990 + [70.0] * 10)

    found = archive_thresholds(percent, 60.0, images=500, needed=100)

    assert found == (99.999, 69.999, 60.0)


def test_archive_thresholds_are_one_if_all_images_are_needed():
    assert archive_thresholds(np.array([99.0, 98.0]), 50.0, images=100, needed=90) == (50.0,)
    assert archive_thresholds(np.array([]), 50.0, images=0, needed=90) == (50.0,)


def test_calibrate_has_none_for_a_head_with_too_few_images():
    found = calibrate(
        [head([99] * 100, [False] * 100), head([99] * 5, [False] * 5, head=Head.PROJECTION)],
        CONDITIONS,
        max_error=0.05,
        confidence=0.95,
    )

    assert (found.model_id, found.precision) == ("test-1", "fp32")
    assert {name: one.threshold for name, one in found.heads.items()} == {
        Head.VIEW: 90.0,
        Head.PROJECTION: None,
    }
    assert found.heads[Head.PROJECTION].patients == 5


def test_calibrate_says_how_many_images_are_needed():
    with pytest.raises(UsageError, match=r"58 images .*needs 59 "):
        calibrate([head([99] * 58, [False] * 58)], CONDITIONS, max_error=0.05, confidence=0.95)
    calibrate([head([99] * 59, [False] * 59)], CONDITIONS, max_error=0.05, confidence=0.95)


def test_calibrate_says_how_many_images_are_wrong():
    is_wrong = np.arange(200) < 20

    with pytest.raises(UsageError, match="20 of 200 images are wrong"):
        calibrate([head([99] * 200, is_wrong)], CONDITIONS, max_error=0.05, confidence=0.95)


def test_calibration_of_a_sample_by_strata_keeps_its_promise():
    """One image of a hospital that the model knows for each of one that it fails in, drawn 19 to 1.

    Without regard to the strata nearly every sample would promise 2 % where 4.5 % are wrong.
    """
    rng, max_error, sets = np.random.default_rng(0), 0.02, 100
    wrong = {"known": 0.0, "unknown": 0.09}
    archive = np.full(1000, 99.0)  # one answer for all, so that one threshold decides all
    broken = ignored = 0
    for _ in range(sets):
        rows = []
        for stratum, count, weight in (("known", 380, 1.0), ("unknown", 20, 19.0)):
            labels = np.where(rng.random(count) < wrong[stratum], View.LATERAL, View.FRONTAL)
            rows += [
                row(len(rows) + k, stratum=stratum, weight=weight, label_view=View(one))
                for k, one in enumerate(labels)
            ]
        needed = images_needed(max_error, 0.95)
        for use_weights in (True, False):
            of = choose_images(rows).rows if use_weights else rows
            answers = view_answers(of, archive, cutoffs=[50.0], needed=needed)
            try:
                calibrate([answers], CONDITIONS, max_error=max_error, confidence=0.95)
            except UsageError:
                continue
            broken, ignored = broken + use_weights, ignored + (not use_weights)

    assert broken / sets <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / sets)
    assert ignored / sets > 0.5
