"""The seven poses: reflections and quarter turns exact, two degrees against other libraries."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import affine_transform

from cxrview.dataset.augment.poses import POSES, Edge, rotate

SMALL = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)


@pytest.fixture(scope="module")
def rough() -> np.ndarray:
    """A picture in which any false step shows: no two neighbours alike."""
    return np.random.default_rng(0).integers(0, 256, (256, 256)).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("identity", [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
        ("flip-horizontal", [[3, 2, 1], [6, 5, 4], [9, 8, 7]]),
        ("flip-vertical", [[7, 8, 9], [4, 5, 6], [1, 2, 3]]),
        ("rotate-90-clockwise", [[7, 4, 1], [8, 5, 2], [9, 6, 3]]),
        ("rotate-90-anticlockwise", [[3, 6, 9], [2, 5, 8], [1, 4, 7]]),
    ],
)
def test_reflections_and_quarter_turns_are_exact(name, expected):
    assert POSES[name](SMALL, Edge.BLACK).tolist() == expected


@pytest.mark.parametrize("degrees", [2, -2])
@pytest.mark.parametrize(("edge", "mode"), [("black", "grid-constant"), ("repeat", "nearest")])
def test_two_degrees_are_those_of_scipy_to_the_last_rounding(rough, degrees, edge, mode):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    back = np.array([[cos, -sin], [sin, cos]])
    middle = np.array([127.5, 127.5])
    exact = affine_transform(rough.astype(float), back, middle - back @ middle, order=1, mode=mode)

    ours = rotate(rough, degrees, Edge(edge))

    assert np.abs(ours - exact).max() <= 0.501


@pytest.mark.parametrize(
    ("name", "anticlockwise"), [("rotate-2-clockwise", -2), ("rotate-2-anticlockwise", 2)]
)
def test_two_degrees_turn_the_way_of_pillow(rough, name, anticlockwise):
    theirs = Image.fromarray(rough).rotate(anticlockwise, Image.Resampling.BILINEAR)

    ours = POSES[name](rough, Edge.BLACK)

    # Pillow blends nothing in at the edge, and cuts where we round.
    inside = np.s_[12:-12, 12:-12]
    assert np.abs(ours[inside].astype(int) - np.asarray(theirs)[inside]).max() <= 1


def test_other_turns_keep_frame_and_middle(rough):
    """By 90 degrees the bilinear way must find each pixel exactly."""
    assert np.array_equal(rotate(rough, 90), np.rot90(rough, -1))
    assert np.array_equal(rotate(rough, 180), rough[::-1, ::-1])
    assert np.array_equal(rotate(rough, 0), rough)


def test_black_enters_at_the_corners_or_the_edge_is_repeated():
    white = np.full((256, 256), 255, np.uint8)

    assert rotate(white, 2)[0, 0] == 0
    assert rotate(white, 2)[0, 128] == 255
    assert (rotate(white, 2, Edge.REPEAT) == 255).all()


@pytest.mark.parametrize("name", POSES)
def test_a_pose_leaves_its_input_alone(rough, name):
    before = rough.copy()
    before.setflags(write=False)

    POSES[name](before, Edge.BLACK)

    assert np.array_equal(before, rough)
