"""The beam and what it passes, against Beer and Lambert."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrview.phantom.bodies import ellipsoid
from cxrview.phantom.patient import Patient
from cxrview.phantom.project import Beam, path_integral, union_length
from cxrview.phantom.thorax import Anatomy, build_thorax
from cxrview.terms import Projection

SIZE = (90, 74)
PARALLEL = Beam(projection=Projection.PA, source_mm=math.inf)


def one_layer(patient: Patient, *bodies) -> Anatomy:
    return Anatomy(patient=patient, layers=(tuple(bodies),), details=())


def test_what_two_separate_bodies_let_through_is_the_product(patient):
    """Beer and Lambert: one behind the other, they also shade one another."""
    front = ellipsoid([10, -60, 90], [60, 30, 80], 0.02)
    back = ellipsoid([-10, 60, 110], [70, 25, 60], 0.02)
    both = path_integral(one_layer(patient, front, back), PARALLEL, SIZE)
    alone = [path_integral(one_layer(patient, body), PARALLEL, SIZE) for body in (front, back)]

    assert np.exp(-both) == pytest.approx(np.exp(-alone[0]) * np.exp(-alone[1]), abs=1e-6)


def test_a_body_twice_in_a_layer_counts_once(patient):
    body = ellipsoid([0, 0, 95], [80, 60, 90], 0.02)
    once = path_integral(one_layer(patient, body), PARALLEL, SIZE)
    twice = path_integral(one_layer(patient, body, body), PARALLEL, SIZE)

    assert twice == pytest.approx(once)


def test_a_later_layer_takes_the_place_of_an_earlier_one(patient):
    """A ball of air within soft tissue: the ray loses just its diameter of tissue."""
    flesh = ellipsoid([0, 0, 95], [100, 100, 100], 0.02)
    hole = ellipsoid([0, 0, 95], [40, 40, 40], 0.0)
    anatomy = Anatomy(patient=patient, layers=((flesh,), (hole,)), details=())

    middle = path_integral(anatomy, PARALLEL, (91, 75))[45, 37]

    assert middle == pytest.approx(0.02 * (200 - 80), rel=1e-3)


def test_a_detail_counts_as_the_difference_to_what_it_replaces(patient):
    flesh = ellipsoid([0, 0, 95], [100, 100, 100], 0.02)
    bone = ellipsoid([0, 0, 95], [20, 20, 20], 0.05, replaces=0.02)
    anatomy = Anatomy(patient=patient, layers=((flesh,),), details=(bone,))

    middle = path_integral(anatomy, PARALLEL, (91, 75))[45, 37]

    assert middle == pytest.approx(0.02 * 160 + 0.05 * 40, rel=1e-3)


def test_a_cone_of_rays_magnifies_by_the_ratio_of_distances(patient):
    """A ball half way between source and detector throws a shadow twice as wide."""
    ball = ellipsoid([0, 0, 95], [40, 40, 40], 0.02)
    cone = Beam(projection=Projection.PA, source_mm=1000, detector_mm=500)
    sizes = [
        int((path_integral(one_layer(patient, ball), beam, (430, 350))[215] > 0.01).sum())
        for beam in (PARALLEL, cone)
    ]

    assert sizes[1] / sizes[0] == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize("projection", [Projection.PA, Projection.AP])
def test_a_mirrored_patient_gives_the_mirrored_picture(patient, projection):
    anatomy = build_thorax(patient, arms_raised=False)
    beam = Beam(projection=projection)
    picture = path_integral(anatomy, beam, SIZE)
    mirrored = path_integral(anatomy.mirrored(), beam, SIZE)

    assert mirrored == pytest.approx(picture[:, ::-1], abs=1e-4)


def test_laterals_from_both_sides_face_each_other_with_parallel_rays(patient):
    anatomy = build_thorax(patient, arms_raised=True)
    left, right = (
        path_integral(anatomy, Beam(projection=side, source_mm=math.inf), SIZE)
        for side in (Projection.LL, Projection.RL)
    )

    assert right == pytest.approx(left[:, ::-1], abs=1e-4)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 30)).map(lambda p: (p[0], p[0] + p[1])),
        min_size=1,
        max_size=8,
    )
)
def test_the_union_of_intervals_is_as_long_as_the_cells_that_it_covers(intervals):
    covered = {cell for low, high in intervals for cell in range(low, high)}
    enters, leaves = np.array(intervals, dtype=float).T

    assert union_length(enters[:, None], leaves[:, None]) == pytest.approx([len(covered)])
