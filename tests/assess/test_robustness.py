"""Counting under modifications, against plain Python and scipy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.assess.modify import MODIFICATIONS
from cxrview.assess.robustness import count_modified, score_modified
from cxrview.records.scores import Scores

BY_NAME = {row.name: row for row in MODIFICATIONS}


def scores(is_frontal: list[bool], **pfi: list[float]) -> Scores:
    """Variants by name, `_` for `/`."""
    names = [name.replace("_", "/") for name in pfi]
    n = len(is_frontal)
    return Scores(
        classifier="one",
        files=np.array([f"{k}.png" for k in range(n)] * len(names)),
        patients=np.array([f"p{k}" for k in range(n)] * len(names)),
        variants=np.repeat(names, n),
        is_frontal=np.array(is_frontal * len(names), bool),
        pfi=np.concatenate([np.array(one, np.float64) for one in pfi.values()]),
    )


percent = st.integers(0, 100)
images = st.lists(st.tuples(st.booleans(), percent, percent), min_size=1, max_size=30)


@given(drawn=images, cutoff=percent)
def test_counts_and_intervals_are_those_of_counting_by_hand(drawn, cutoff):
    from scipy.stats import beta

    truth, before, after = (list(column) for column in zip(*drawn, strict=True))
    _, found = count_modified(scores(truth, progenitor=before, rotation_10=after), cutoff=cutoff)

    was = [(pfi >= cutoff) == frontal for frontal, pfi in zip(truth, before, strict=True)]
    right = [(pfi >= cutoff) == frontal for frontal, pfi in zip(truth, after, strict=True)]
    k, n = sum(right), len(right)
    assert (found.table.right, found.table.total, found.drawn_from) == (k, n, n)
    assert found.table.frontal_called_frontal == sum(
        r for r, frontal in zip(right, truth, strict=True) if frontal
    )
    assert found.lost == sum(w and not r for w, r in zip(was, right, strict=True))
    assert found.gained == sum(r and not w for w, r in zip(was, right, strict=True))
    assert found.difference == pytest.approx(k / n - sum(was) / n)
    # Clopper and Pearson's ends are quantiles of beta distributions.
    assert found.interval.low == pytest.approx(beta.ppf(0.025, k, n - k + 1) if k else 0)
    assert found.interval.high == pytest.approx(beta.ppf(0.975, k + 1, n - k) if k < n else 1)


def test_each_view_has_its_own_interval_or_none():
    found = count_modified(scores([True, True], progenitor=[90, 10]), cutoff=50)[0]

    assert found.lateral_interval is None
    assert found.frontal_interval == found.interval


def test_the_unmodified_images_lose_and_gain_nothing():
    first = count_modified(scores([True, False], progenitor=[90, 90]), cutoff=50)[0]

    assert (first.modification, first.severity) == ("unmodified", "")
    assert (first.lost, first.gained, first.difference) == (0, 0, 0.0)


def test_rows_come_in_the_order_of_the_variants():
    table = scores([True], progenitor=[90], rotation_10=[90], cropped_x=[90])

    assert [(one.modification, one.severity) for one in count_modified(table, cutoff=50)] == [
        ("unmodified", ""),
        ("rotation", "10"),
        ("cropped", "x"),
    ]


def test_an_image_at_the_cutoff_is_called_frontal():
    found = count_modified(scores([True, False], progenitor=[50, 49.9]), cutoff=50)

    assert found[0].table.right == 2


def test_a_drawn_part_says_what_it_was_drawn_from():
    found = count_modified(scores([True], progenitor=[90]), cutoff=50, drawn_from=7)

    assert found[0].drawn_from == 7
    with pytest.raises(ValueError, match="cannot come from"):
        count_modified(scores([True, False], progenitor=[90, 9]), cutoff=50, drawn_from=1)


def test_other_images_or_another_order_are_refused():
    table = scores([True, False], progenitor=[90, 10], rotation_10=[90, 10])
    with pytest.raises(ValueError, match="rotation/10 was made of other images"):
        count_modified(replace(table, files=np.array(["a", "b", "b", "a"])), cutoff=50)


def test_without_the_images_as_they_were_nothing_is_counted():
    with pytest.raises(ValueError, match="nothing to compare"):
        count_modified(scores([True], rotation_10=[90]), cutoff=50)


@pytest.mark.parametrize("cutoff", [-1, 101, float("nan")])
def test_a_cutoff_that_is_no_percentage_is_refused(cutoff):
    with pytest.raises(ValueError, match="a cutoff is a percentage"):
        count_modified(scores([True], progenitor=[90]), cutoff=cutoff)


def test_every_image_is_asked_about_once_changed_and_in_order():
    rng = np.random.default_rng(0)
    pixels = rng.integers(1, 256, (7, 64, 64)).astype(np.uint8)
    asked, done = [], []

    def mean_grey(batch):
        asked.append(len(batch))
        return batch.mean(axis=(1, 2)) / 2.55

    pfi = score_modified(pixels, BY_NAME["obscured/left"], mean_grey, batch=3, watch=done.append)

    assert asked == done == [3, 3, 1]
    assert pfi == pytest.approx(pixels[:, :, 32:].sum(axis=(1, 2)) / (64 * 64 * 2.55))
