"""The drawing of a kappa: nothing is cut, nothing lies beside the axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrview.annotate.agreement import write_kappa
from cxrview.annotate.web.kappa_axis import LEFT, RIGHT, kappa_axis
from cxrview.records.annotation import Kappa


def drawn(kappa, low, high):
    table = {"images": 1, "agreed": 1, "labels": (), "table": ()}
    return kappa_axis(Kappa(kappa=kappa, low=low, high=high, **table))


def test_an_interval_above_0_is_drawn_from_0_to_1():
    axis = drawn(0.5, 0.25, 1.0)

    assert (axis.low, axis.at, axis.high) == (80.0, 150.0, 290.0)
    assert [number for _, number in axis.ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]


def test_an_interval_below_0_is_drawn_there():
    axis = drawn(0.1, -0.3, 0.6)

    assert (axis.ticks[0], axis.start) == ((10.0, "-0.4"), "-0.4")
    assert axis.low == pytest.approx(10 + 280 * 0.1 / 1.4, abs=0.05)
    assert axis.interval == "-0.300 to 0.600"


@given(ends=st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_all_of_it_is_on_the_axis_in_its_order(ends):
    low, kappa, high = sorted(ends)

    axis = drawn(kappa, low, high)

    assert LEFT - 0.05 <= axis.low <= axis.at <= axis.high <= RIGHT
    assert (axis.ticks[0][0], axis.ticks[-1]) == (LEFT, (RIGHT, "1.0"))


def test_what_is_not_defined_is_not_drawn():
    assert drawn(None, None, None) is None


@pytest.mark.parametrize(
    ("value", "words"), [(-0.0004, "0.000"), (-0.0, "0.000"), (0.9996, "1.000")]
)
def test_a_kappa_that_rounds_to_0_has_no_sign(value, words):
    assert write_kappa(value) == words
