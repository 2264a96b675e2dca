from dataclasses import replace

import numpy as np
import pytest

from cxrview.dataset.augment.poses import ORIENTATIONS, pose_of_orientation
from cxrview.train.fast.change import change_picture, hide_edges, to_model_side, write_in_corners
from cxrview.train.fast.recipe import FAST

PLAIN = replace(FAST, mirrored=0, turned=0, inverted=0, corner_words=0, hidden_edges=0, chances={})
PICTURE = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)


def test_change_picture_without_changes_only_resizes():
    changed = change_picture(PICTURE, PLAIN, np.random.default_rng(0))

    assert (changed.pixels == to_model_side(PICTURE)).all()
    assert (changed.quarter_turns, changed.is_mirrored, changed.is_inverted) == (0, False, False)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("mirrored", [0, 1])
def test_change_picture_reports_the_orientation_that_it_gave(seed, mirrored):
    recipe = replace(PLAIN, mirrored=mirrored, turned=0.7, inverted=0.5)

    changed = change_picture(PICTURE, recipe, np.random.default_rng(seed))

    (name,) = [
        name
        for name, turn in ORIENTATIONS.items()
        if (to_model_side(turn(PICTURE[None])[0]) == changed.pixels).all()
    ]
    truth = pose_of_orientation(name)
    assert truth.quarter_turns == changed.quarter_turns
    assert (truth.is_mirrored, truth.is_inverted) == (changed.is_mirrored, changed.is_inverted)
    assert changed.is_mirrored == bool(mirrored)


def test_change_picture_is_decided_by_the_seed():
    first, again, other = (
        change_picture(PICTURE, FAST, np.random.default_rng(seed)).pixels for seed in (3, 3, 4)
    )

    assert (first == again).all()
    assert (first != other).any()


def test_write_in_corners_leaves_the_middle():
    for seed in range(20):
        marked = write_in_corners(np.full((256, 256), 100, np.uint8), np.random.default_rng(seed))
        assert (marked != 100).any() or seed  # grey on grey can be invisible
        assert (marked[110:146] == 100).all()


def test_hide_edges_covers_a_seventh_at_most():
    for seed in range(20):
        hidden = hide_edges(PICTURE, np.random.default_rng(seed))
        assert (hidden[36:220, 36:220] == PICTURE[36:220, 36:220]).all()
        assert (hidden != PICTURE).any()
