"""Counting, against scikit-learn and scipy, and on the paper's own figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.assess.accuracy import assess_pfi, count_two_by_two, slice_images
from cxrview.records.evaluation import TwoByTwo

image = st.tuples(
    st.integers(0, 1000).map(lambda k: k / 10), st.booleans(), st.sampled_from(["here", "there"])
)
images = st.lists(image, min_size=1, max_size=60).map(
    lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True))
)


def test_the_papers_test_sets_give_its_accuracy_and_interval():
    """Section 6: 377 and 1,000, together 1,377 of 1,377, 99.73 to 100 %; no image between."""
    is_frontal = np.arange(1377) % 2 == 0
    pfi = np.where(is_frontal, 99.6, 14.2)
    source = np.where(np.arange(1377) < 377, "inside", "external")

    found = assess_pfi(pfi, is_frontal, cutoff=99.6, kinds={"source": source})

    assert (found.table.right, found.table.total) == (1377, 1377)
    assert (round(100 * found.interval.low, 2), 100 * found.interval.high) == (99.73, 100)
    assert [(s.name, s.table.right, s.table.total) for s in found.slices] == [
        ("external", 1000, 1000),
        ("inside", 377, 377),
    ]
    assert (found.best.low, found.best.high) == (14.3, 99.6)


@given(data=images, cutoff=st.integers(0, 1000).map(lambda k: k / 10))
def test_the_table_is_scikit_learns(data, cutoff):
    from sklearn.metrics import accuracy_score, confusion_matrix

    pfi, is_frontal, _ = data
    found = assess_pfi(pfi, is_frontal, cutoff=cutoff)

    theirs = confusion_matrix(is_frontal, pfi >= cutoff, labels=[True, False])
    table = found.table
    assert theirs.tolist() == [
        [table.frontal_called_frontal, table.frontal_called_lateral],
        [table.lateral_called_frontal, table.lateral_called_lateral],
    ]
    assert table.accuracy == pytest.approx(accuracy_score(is_frontal, pfi >= cutoff))


@given(data=images)
def test_the_interval_is_scipys_and_holds_the_accuracy(data):
    from scipy.stats import binomtest

    pfi, is_frontal, _ = data
    found = assess_pfi(pfi, is_frontal, cutoff=50)

    theirs = binomtest(found.table.right, len(pfi)).proportion_ci(method="exact")
    assert (found.interval.low, found.interval.high) == pytest.approx((theirs.low, theirs.high))
    assert found.interval.low <= found.table.accuracy <= found.interval.high


@given(data=images)
def test_slices_of_one_kind_share_out_the_whole_table(data):
    pfi, is_frontal, names = data
    found = assess_pfi(pfi, is_frontal, cutoff=50, kinds={"source": names})

    assert [s.name for s in found.slices] == sorted(set(names))
    for field in TwoByTwo.__dataclass_fields__:
        assert sum(getattr(s.table, field) for s in found.slices) == getattr(found.table, field)


@pytest.mark.slow
@given(data=images)
def test_no_cutoff_beats_the_one_that_these_images_would_have_chosen(data):
    pfi, is_frontal, _ = data
    best = assess_pfi(pfi, is_frontal, cutoff=50).best

    if is_frontal.all() or not is_frontal.any():
        assert best is None
        return
    for cutoff in (0, 25, 50, 75, 100):
        table = assess_pfi(pfi, is_frontal, cutoff=cutoff).table
        assert table.sensitivity + table.specificity - 1 <= best.youden_j + 1e-9


@given(data=images)
def test_the_order_of_the_images_does_not_matter(data):
    pfi, is_frontal, names = data
    turned = assess_pfi(pfi[::-1], is_frontal[::-1], cutoff=50, kinds={"source": names[::-1]})
    found = assess_pfi(pfi, is_frontal, cutoff=50, kinds={"source": names})

    assert (turned.table, turned.slices, turned.best) == (found.table, found.slices, found.best)


def test_each_kind_has_slices_of_its_own_and_an_unnamed_image_counts():
    truth = np.array([True, True, False])
    kinds = {"source": np.array(["a", "a", "b"]), "manufacturer": np.array(["", "Acme", ""])}

    found = assess_pfi(np.array([90.0, 10, 10]), truth, cutoff=50, kinds=kinds)

    assert [(s.kind, s.name, s.table.right, s.table.total) for s in found.slices] == [
        ("source", "a", 1, 2),
        ("source", "b", 1, 1),
        ("manufacturer", "", 2, 2),
        ("manufacturer", "Acme", 0, 1),
    ]


def test_an_image_at_the_cutoff_is_called_frontal():
    found = assess_pfi(np.array([50.0, 49.9]), np.array([True, False]), cutoff=50)

    assert found.table.right == 2


def test_a_view_that_is_missing_has_no_share():
    table = count_two_by_two(np.array([True]), np.array([True]))

    assert (table.sensitivity, table.specificity) == (1.0, None)


@pytest.mark.parametrize("pfi", [[-0.1], [100.1], [float("nan")]])
def test_what_is_no_percentage_is_refused(pfi):
    with pytest.raises(ValueError, match="0 to 100"):
        assess_pfi(np.array(pfi), np.array([True]), cutoff=50)


@pytest.mark.parametrize("cutoff", [-1, 101, float("nan")])
def test_a_cutoff_that_is_no_percentage_is_refused(cutoff):
    with pytest.raises(ValueError, match="a cutoff is a percentage"):
        assess_pfi(np.array([1.0]), np.array([True]), cutoff=cutoff)


def test_nothing_and_unequal_lengths_are_refused():
    nothing = np.array([], bool)
    with pytest.raises(ValueError, match="at least one image"):
        count_two_by_two(nothing, nothing)
    with pytest.raises(ValueError, match="0 images have 0 truths"):
        assess_pfi(np.array([]), nothing, cutoff=50)
    with pytest.raises(ValueError, match="1 image has 2 truths"):
        count_two_by_two(np.array([True]), np.array([True, False]))
    with pytest.raises(ValueError, match="1 image has 2 truths"):
        slice_images("source", np.array(["a"]), np.ones(2, bool), np.ones(2, bool))


def test_a_table_of_less_than_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one image"):
        TwoByTwo(
            frontal_called_frontal=2,
            frontal_called_lateral=-1,
            lateral_called_frontal=0,
            lateral_called_lateral=1,
        )
