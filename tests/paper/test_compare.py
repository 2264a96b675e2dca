"""The comparison and the choice, against the paper's rule and figures."""

import dataclasses

import numpy as np
import pytest

from cxrview.paper.candidates import CANDIDATES, FINE_TUNINGS, PRE_TRAININGS, Candidate
from cxrview.paper.compare import (
    COMPARISONS,
    choose_candidate,
    choose_cutoff,
    compare_candidates,
)
from cxrview.records.scores import Scores

VARIANTS = 106
PROGENITORS = 376


def validated(candidate: Candidate, wrong: int) -> Scores:
    """A candidate that errs on so many of its images, spread evenly."""
    each = VARIANTS if FINE_TUNINGS[candidate.fine_tuning].is_augmented else 1
    n = PROGENITORS * each
    number = np.arange(n)
    is_frontal = (number // each) % 2 == 0
    pfi = np.where(is_frontal, 99.0, 1.0)
    if wrong:
        at = np.linspace(0, n - 1, wrong).astype(int)
        pfi[at] = 100 - pfi[at]
    return Scores(
        classifier=candidate.name,
        files=(number // each).astype(str),
        variants=np.where(number % each == 0, "progenitor", (number % each).astype(str)),
        patients=((number // each) // 2).astype(str),
        is_frontal=is_frontal,
        pfi=pfi,
    )


def test_there_are_nine_candidates_with_the_papers_figures():
    """Section 4: the table of methods; section 3: Nesterov, 24, 0.9, 0.0005, divided by ten."""
    rows = {
        name: (f.schedule.rate, f.is_trunk_trained, f.is_augmented, f.schedule.is_nesterov)
        for name, f in FINE_TUNINGS.items()
    }
    grey = PRE_TRAININGS["grey"].schedule

    assert len(set(CANDIDATES)) == 9
    assert rows == {
        "fc-original": (0.005, False, False, False),
        "fc-augmented": (0.005, False, True, False),
        "all-augmented": (0.0005, True, True, False),
    }
    assert (grey.epochs, grey.batch, grey.momentum, grey.weight_decay) == (30, 24, 0.9, 0.0005)
    assert grey.is_nesterov
    assert [grey.rate_at(e) for e in (0, 9, 10, 20, 29)] == pytest.approx(
        [5e-4, 5e-4, 5e-5, 5e-6, 5e-6]
    )


def test_the_pools_have_the_papers_numbers_of_images():
    """119,568 = 3 x 39,856 augmented and 1,128 = 3 x 376 original validation images."""
    each = {c: validated(c, 0) for c in CANDIDATES}

    pools = {c.comparison.name: (c.first[1], c.second[1]) for c in compare_candidates(each, seed=0)}

    assert pools["fc-augmented against fc-original"] == (119_568, 1_128)
    assert pools["all-augmented against fc-augmented"] == (119_568, 119_568)
    assert pools["grey (either) against colour pre-training"] == (2 * 80_088, 80_088)
    assert pools["full against subset greyscale"] == (80_088, 80_088)
    assert pools["greyscale only: all-augmented against fc-augmented"] == (79_712, 79_712)
    assert len(COMPARISONS) == 5


def test_the_papers_counts_give_its_p():
    """5,739 errors of 119,568 against 74 of 1,128: chi-squared 7.56, p 0.006."""
    wrong = {"fc-augmented": 1913, "fc-original": 0, "all-augmented": 0}
    each = {c: validated(c, wrong[c.fine_tuning]) for c in CANDIDATES}
    for candidate, errors in zip(
        [c for c in CANDIDATES if c.fine_tuning == "fc-original"], (25, 25, 24), strict=True
    ):
        each[candidate] = validated(candidate, errors)

    found = {c.comparison.name: c for c in compare_candidates(each, seed=0)}

    fc = found["fc-augmented against fc-original"]
    assert (fc.first, fc.second) == ((113_829, 119_568), (1_054, 1_128))
    assert round(fc.chi_squared.statistic, 2) == 7.56


def test_without_an_error_there_is_nothing_to_test():
    each = {c: validated(c, 0) for c in CANDIDATES}

    found = compare_candidates(each, seed=0)

    assert [c.chi_squared for c in found] == [None] * 5
    assert [c.difference_on_progenitors for c in found] == [0.0] * 5


def test_the_interval_holds_the_difference_on_the_same_images():
    each = {c: validated(c, 60 if c.pre_training == "colour" else 0) for c in CANDIDATES}

    grey, *_ = compare_candidates(each, seed=0)

    assert grey.interval.low <= grey.difference_on_progenitors <= grey.interval.high
    assert grey.difference_on_progenitors > 0


def test_the_most_accurate_is_chosen():
    best = Candidate(pre_training="colour", fine_tuning="fc-original")
    each = {c: validated(c, 0 if c == best else 5) for c in CANDIDATES}

    assert choose_candidate(each) == best


def test_of_equals_the_one_with_more_pre_training_images_is_chosen():
    """The paper's: full-greyscale with all layers on augmented images."""
    each = {c: validated(c, 0) for c in CANDIDATES if c.fine_tuning == "all-augmented"}

    assert choose_candidate(each) == Candidate(pre_training="grey", fine_tuning="all-augmented")


def test_the_cutoff_is_set_on_progenitors_alone():
    candidate = Candidate(pre_training="grey", fine_tuning="all-augmented")
    one = validated(candidate, 0)
    spoilt = np.where(one.is_progenitor, one.pfi, 50.0)

    cutoff = choose_cutoff(dataclasses.replace(one, pfi=spoilt))

    assert (cutoff.low, cutoff.high, cutoff.youden_j) == (1.1, 99.0, 1.0)


def test_a_missing_candidate_is_named():
    each = {c: validated(c, 0) for c in CANDIDATES[1:]}

    with pytest.raises(ValueError, match="no validation of colour/fc-original"):
        compare_candidates(each, seed=0)


def test_other_progenitors_are_refused():
    each = {c: validated(c, 0) for c in CANDIDATES}
    odd = each[CANDIDATES[4]]
    each[CANDIDATES[4]] = dataclasses.replace(odd, files=odd.files[::-1])

    with pytest.raises(ValueError, match="other progenitors"):
        compare_candidates(each, seed=0)
