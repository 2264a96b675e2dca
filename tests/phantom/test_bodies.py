"""Lengths inside bodies, against plain counting along the ray."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrview.phantom.bodies import Body, chord, ellipsoid, tube

coordinate = st.floats(-30, 30)
semi_axis = st.floats(2, 25)
angle = st.floats(-180, 180)
STEPS = np.linspace(-150, 150, 20_001)


def counted(body: Body, point: np.ndarray, direction: np.ndarray) -> float:
    """The part of 20,001 points along the ray that lie inside, as a length."""
    places = point + STEPS[:, None] * direction
    unit = (places - body.centre) @ body.to_unit.T
    inside = (unit**2).sum(axis=1) <= 1
    for plane in body.planes:
        inside &= places @ plane[:3] <= plane[3]
    return float(inside.mean() * (STEPS[-1] - STEPS[0]))


def ray(start: tuple[float, float, float], towards: tuple[float, float, float]):
    direction = np.array(towards)
    length = np.linalg.norm(direction)
    # Off the round numbers: whether a ray along the very surface is inside is no question.
    point = np.array(start) + [0.0123, 0.0271, 0.0317]
    return point, direction / length if length > 1 else np.array([1.0, 0.0, 0.0])


@settings(max_examples=40, deadline=None)
@given(
    centre=st.tuples(coordinate, coordinate, coordinate),
    semi=st.tuples(semi_axis, semi_axis, semi_axis),
    tilt=st.tuples(angle, angle, angle),
    start=st.tuples(coordinate, coordinate, coordinate),
    towards=st.tuples(coordinate, coordinate, coordinate),
    above=st.floats(-20, 20),
)
def test_the_chord_of_a_cut_ellipsoid_is_what_counting_finds(
    centre, semi, tilt, start, towards, above
):
    body = ellipsoid(centre, semi, 1.0, tilt_degrees=tilt, above=above)
    point, direction = ray(start, towards)

    assert chord(body, point, direction) == pytest.approx(counted(body, point, direction), abs=0.03)


@settings(max_examples=40, deadline=None)
@given(
    radius=st.floats(2, 12),
    start=st.tuples(coordinate, coordinate, coordinate),
    towards=st.tuples(coordinate, coordinate, coordinate),
)
def test_the_chords_of_a_bent_tube_are_what_counting_finds(radius, start, towards):
    bodies = tube([[0, 0, 0], [20, 0, 0], [40, 15, 5]], radius, radius * 0.6, 1.0)
    point, direction = ray(start, towards)

    for body in bodies:
        assert chord(body, point, direction) == pytest.approx(
            counted(body, point, direction), abs=0.06
        )


def test_stretches_of_a_tube_meet_without_gap_or_overlap():
    """Across a straight tube in three stretches every ray has the chord of the whole."""
    whole = tube([[0, 0, 0], [30, 0, 0]], 5.0, 5.0, 1.0)
    parts = tube([[0, 0, 0], [7, 0, 0], [22, 0, 0], [30, 0, 0]], 5.0, 5.0, 1.0)
    points = np.stack([np.linspace(-3, 33, 400), np.zeros(400), np.full(400, 2.0)], axis=-1)
    across = np.array([0.2, 1.0, 0.0]) / np.hypot(0.2, 1.0)

    summed = sum(chord(part, points, across) for part in parts)

    assert summed == pytest.approx(chord(whole[0], points, across))


def test_a_sphere_is_as_long_as_its_diameter_from_everywhere():
    body = ellipsoid([4, 5, 6], [7, 7, 7], 1.0, tilt_degrees=(10, 20, 30))
    directions = np.random.default_rng(0).normal(size=(50, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)

    assert chord(body, body.centre, directions) == pytest.approx(14)


@settings(max_examples=40, deadline=None)
@given(
    semi=st.tuples(semi_axis, semi_axis, semi_axis),
    tilt=st.tuples(angle, angle, angle),
)
def test_the_box_of_an_ellipsoid_touches_it_on_every_side(semi, tilt):
    body = ellipsoid([0, 0, 0], semi, 1.0, tilt_degrees=tilt)
    sphere = np.random.default_rng(1).normal(size=(4000, 3))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    surface = sphere @ np.linalg.inv(body.to_unit).T

    reached = np.abs(surface).max(axis=0)

    assert (reached <= body.half_box * 1.000001).all()
    assert (reached >= body.half_box * 0.97).all()
