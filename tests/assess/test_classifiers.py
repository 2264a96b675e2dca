"""Classifiers beside each other, against a recount by plain code and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from cxrview.assess.classifiers import assess_scores, is_right
from cxrview.records.scores import Scores


def scores(pfi, is_frontal, sets, classifier="network", **facts) -> Scores:
    number = len(pfi)
    return Scores(
        classifier=classifier,
        files=np.array([f"{k}.png" for k in range(number)], str),
        patients=np.array([f"p{k}" for k in range(number)], str),
        variants=np.full(number, "progenitor"),
        is_frontal=np.array(is_frontal, bool),
        pfi=np.array(pfi, np.float64),
        facts={"set": np.array(sets, str), **{k: np.array(v, str) for k, v in facts.items()}},
    )


def by_name(assessed):
    return {(row.images, row.cutoff_from, row.rule): row.assessment for row in assessed}


def test_the_papers_test_sets_give_its_cutoff_accuracy_and_interval():
    """Section 6: 377 and 1,000, J maximal from 14.3 to 99.6 on both together."""
    number = 1377
    is_frontal = np.arange(number + 2) % 2 == 0
    pfi = np.where(is_frontal, 99.6, 14.2)
    pfi[-2:] = [80, 70] if is_frontal[-2] else [70, 80]
    sets = ["inside"] * 377 + ["external"] * 1000 + ["validation"] * 2

    found = by_name(assess_scores([scores(pfi, is_frontal, sets)]))

    both = found["both", "test", "higher end"]
    assert (both.cutoff, both.best.low, both.best.high) == (99.6, 14.3, 99.6)
    assert (both.table.right, both.table.total) == (1377, 1377)
    assert (round(100 * both.interval.low, 2), 100 * both.interval.high) == (99.73, 100)
    assert found["inside", "test", "higher end"].table.total == 377
    assert found["external", "test", "higher end"].table.total == 1000
    assert found["both", "test", "middle"].cutoff == 56.95
    assert found["both", "validation", "higher end"].cutoff == 80


image = st.tuples(
    st.integers(0, 1000).map(lambda k: k / 10),
    st.booleans(),
    st.sampled_from(["validation", "inside", "external"]),
)
KNOWN = [(90.0, True, "validation"), (20.0, False, "validation"), (60.0, True, "inside")]


@pytest.mark.slow
@settings(max_examples=30)
@given(drawn=st.lists(image, max_size=40))
def test_every_row_is_what_a_recount_gives(drawn):
    rows = KNOWN + drawn
    one = scores(*zip(*rows, strict=True))

    for row in assess_scores([one]):
        sets = {"inside", "external"} if row.images == "both" else {row.images}
        of = [(pfi, truth) for pfi, truth, where in rows if where in sets]
        theirs = confusion_matrix(
            [truth for _, truth in of],
            [pfi >= row.assessment.cutoff for pfi, _ in of],
            labels=[True, False],
        )
        table, interval = row.assessment.table, row.assessment.interval
        assert theirs.tolist() == [
            [table.frontal_called_frontal, table.frontal_called_lateral],
            [table.lateral_called_frontal, table.lateral_called_lateral],
        ]
        exact = binomtest(int(np.trace(theirs)), len(of)).proportion_ci(method="exact")
        assert (interval.low, interval.high) == pytest.approx((exact.low, exact.high))


@settings(max_examples=30)
@given(drawn=st.lists(image, max_size=40))
def test_no_cutoff_is_better_than_the_chosen_on_the_images_that_chose_it(drawn):
    rows = KNOWN + drawn
    found = assess_scores([scores(*zip(*rows, strict=True))])

    def youden_j(cutoffs, is_validation):
        of = [r for r in rows if (r[2] == "validation") is is_validation]
        frontal, lateral = (np.array([r[0] for r in of if r[1] is view]) for view in (True, False))
        return (frontal[:, None] >= cutoffs).mean(0) - (lateral[:, None] >= cutoffs).mean(0)

    for row in found:
        chosen, every = np.array([row.assessment.cutoff]), np.arange(1001) / 10
        is_validation = row.cutoff_from == "validation"
        best = youden_j(every, is_validation).max()
        assert youden_j(chosen, is_validation)[0] == pytest.approx(best)


def test_test_images_of_one_view_choose_no_cutoff():
    found = assess_scores([scores(*zip(*KNOWN, strict=True))])

    assert {row.cutoff_from for row in found} == {"validation"}
    assert {row.images for row in found} == {"inside"}


def test_validation_images_of_one_view_are_refused_by_name():
    one = scores([90, 20], [True, False], ["validation", "inside"], "boone")

    with pytest.raises(ValueError, match="boone, 1 images: .* one frontal and one lateral"):
        assess_scores([one])


def test_sources_are_always_told_apart_and_makers_where_a_header_names_one():
    rows = list(zip(*KNOWN, strict=True))
    silent = scores(*rows, source=["a", "a", "b"], manufacturer=["", "", ""])
    named = scores(*rows, source=["a", "a", "b"], manufacturer=["", "", "Maker"])

    (of_silent, of_named) = (
        {s.kind: s.name for s in assess_scores([one])[0].assessment.slices}
        for one in (silent, named)
    )

    assert of_silent == {"source": "b"}
    assert of_named == {"source": "b", "manufacturer": "Maker"}


def test_a_silent_header_counts_as_wrong_and_is_named():
    claims = ["frontal", "lateral", "", "", "frontal"]
    truth = [True, False, True, False, False]
    pfi = [100, 0, 50, 50, 100]
    one = scores(pfi, truth, ["inside"] * 5, "header", header_view=claims)

    (row,) = assess_scores([one])

    table = row.assessment.table
    assert (row.cutoff_from, row.rule) == ("", "at its word")
    assert (table.right, table.total) == (2, 5)
    assert (table.frontal_called_lateral, table.lateral_called_frontal) == (1, 2)
    silent = [s for s in row.assessment.slices if (s.kind, s.name) == ("header_view", "")]
    assert [(s.table.right, s.table.total) for s in silent] == [(0, 2)]
    assert is_right(one, row).tolist() == [True, True, False, False, False]
