"""Each modification, against what numpy, Pillow and OpenCV make of the same picture."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cxrview.assess.modify import (
    CROPS,
    MARKERS,
    MODIFICATIONS,
    Marker,
    add_marker,
    blank,
    crop,
    figure_modifications,
    marker_box,
    move_marker,
)
from cxrview.image import squash
from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import render_patient
from cxrview.records.evaluation import Box
from cxrview.terms import Projection

BY_NAME = {row.name: row for row in MODIFICATIONS}


@pytest.fixture(scope="module")
def chest() -> np.ndarray:
    """A drawn thorax as a store keeps it: squashed, read-only."""
    drawn = render_patient(draw_patient(1, 0), Projection.PA, (256, 210), bits=8)
    pixels = squash(drawn.astype(np.uint8)).copy()
    pixels.setflags(write=False)
    return pixels


@pytest.fixture(scope="module")
def smooth() -> np.ndarray:
    """Waves so long that every sound way of enlarging them agrees; never black."""
    down, across = np.mgrid[:256, :256] / 256
    return np.rint(128 + 60 * np.sin(6 * down) + 60 * np.cos(5 * across)).astype(np.uint8)


def inside(box: Box) -> np.ndarray:
    mask = np.zeros((256, 256), bool)
    mask[box.slices(mask.shape)] = True
    return mask


def test_names_are_unique_and_the_unmodified_image_comes_first():
    assert len(BY_NAME) == len(MODIFICATIONS)
    assert MODIFICATIONS[0].name == "progenitor"
    assert 20 <= len(MODIFICATIONS) <= 30


@pytest.mark.parametrize("row", MODIFICATIONS, ids=list(BY_NAME))
def test_every_one_gives_a_new_picture_of_the_same_size_each_time_the_same(row, chest):
    before = chest.copy()
    modified = row.make(chest)

    assert (modified.shape, modified.dtype) == ((256, 256), np.uint8)
    assert np.array_equal(modified, row.make(chest))
    assert np.array_equal(chest, before)
    assert np.array_equal(modified, chest) == (row.name == "progenitor")


def test_all_of_them_are_pairwise_different(chest):
    assert len({row.make(chest).tobytes() for row in MODIFICATIONS}) == len(MODIFICATIONS)


@pytest.mark.parametrize(("degrees", "quarters"), [(90, -1), (180, 2)])
def test_a_turn_by_a_right_angle_is_numpys(chest, degrees, quarters):
    turned = BY_NAME[f"rotation/{degrees}"].make(chest)

    assert np.array_equal(turned, np.rot90(chest, quarters))


@pytest.mark.parametrize("degrees", [2, 5, 10, 15, 20, 45])
def test_any_other_turn_is_opencvs(smooth, degrees):
    import cv2

    about_the_middle = cv2.getRotationMatrix2D((127.5, 127.5), -degrees, 1)
    theirs = cv2.warpAffine(smooth, about_the_middle, (256, 256), flags=cv2.INTER_LINEAR)
    ours = BY_NAME[f"rotation/{degrees}"].make(smooth)

    # OpenCV knows 32 places between two pixels; at the edge of the black that tells.
    off = np.abs(ours.astype(int) - theirs)
    assert np.quantile(off, 0.98) <= 1
    assert (ours == 0).mean() == pytest.approx((theirs == 0).mean(), abs=0.002)


@pytest.mark.parametrize(
    ("half", "black"),
    [
        ("left", np.s_[:, :128]),
        ("right", np.s_[:, 128:]),
        ("upper", np.s_[:128]),
        ("lower", np.s_[128:]),
    ],
)
def test_one_half_is_black_and_the_other_as_it_was(chest, half, black):
    expected = chest.copy()
    expected[black] = 0

    assert np.array_equal(BY_NAME[f"obscured/{half}"].make(chest), expected)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("central-90", np.s_[13:243, 13:243]),
        ("central-80", np.s_[26:230, 26:230]),
        ("central-70", np.s_[38:218, 38:218]),
        ("central-50", np.s_[64:192, 64:192]),
        ("upper-left-70", np.s_[:179, :179]),
        ("lower-right-70", np.s_[77:, 77:]),
    ],
)
def test_a_crop_is_the_slice_as_pillow_enlarges_it(smooth, name, kept):
    theirs = Image.fromarray(smooth[kept]).resize((256, 256), Image.Resampling.BICUBIC)

    off = np.abs(crop(smooth, CROPS[name]).astype(int) - np.asarray(theirs))
    assert off.max() <= 2


@pytest.mark.parametrize("marker", MARKERS.values(), ids=MARKERS)
def test_a_marker_is_white_letters_within_its_box_and_its_corner(chest, marker):
    modified = add_marker(chest, marker)
    box = marker_box(marker, chest.shape)

    changed = np.argwhere(modified != chest)
    assert inside(box)[modified != chest].all()
    assert (modified >= chest).all()
    assert modified[inside(box)].max() == 255
    tall = np.ptp(changed[:, 0]) + 1
    assert 100 * tall / 256 == pytest.approx(marker.height_percent, rel=0.35)
    above, left = changed.mean(axis=0) < 128
    assert marker.corner == f"{'top' if above else 'bottom'}-{'left' if left else 'right'}"


def test_blanking_changes_only_the_box():
    pixels = np.full((256, 256), 90, np.uint8)
    box = Box(row=10, column=80, rows=5, columns=12.5)

    blanked = blank(pixels, box)

    assert np.array_equal(np.argwhere(blanked == 0), np.argwhere(inside(box)))
    assert (blanked[~inside(box)] == 90).all()


def test_the_table_blanks_what_the_letters_of_that_name_would_have_covered(chest):
    marked = add_marker(chest, MARKERS["R-10-top-left"])
    modified = BY_NAME["marker-blanked/R-10-top-left"].make(chest)

    box = inside(marker_box(MARKERS["R-10-top-left"], chest.shape))
    assert (modified[box] == 0).all()
    assert np.array_equal(modified[~box], marked[~box])


def test_a_moved_marker_leaves_an_even_ground_and_appears_on_the_other_side():
    ground = np.full((256, 256), 90, np.uint8)
    marker = Marker(text="R", height_percent=10, corner="top-left")
    box = marker_box(marker, ground.shape)

    moved = move_marker(add_marker(ground, marker), box, "to-other-side")

    theirs = add_marker(ground, replace(marker, corner="top-right"))
    assert np.array_equal(moved[~inside(box)], theirs[~inside(box)])
    # Telea's method is even to a few grey values.
    assert np.abs(moved[inside(box)].astype(int) - 90).max() <= 4


def test_a_marker_can_be_moved_to_the_middle():
    ground = np.full((256, 256), 90, np.uint8)
    marked = add_marker(ground, MARKERS["R-10-top-left"])
    moved = move_marker(marked, marker_box(MARKERS["R-10-top-left"], ground.shape), "to-middle")

    letters = np.argwhere(moved > 100)
    assert letters.mean(axis=0) == pytest.approx([127.5, 127.5], abs=4)
    assert len(letters) == np.count_nonzero(marked > 100)


def test_what_is_filled_in_joins_on_to_its_surroundings(smooth):
    marker = MARKERS["R-10-top-left"]
    box = marker_box(marker, smooth.shape)
    moved = move_marker(add_marker(smooth, marker), box)

    assert np.abs(moved.astype(int) - smooth)[inside(box)].max() <= 30


part = st.floats(0, 100)


@given(row=part, column=part, rows=part, columns=part)
def test_any_box_within_a_picture_can_be_blanked_moved_and_kept(row, column, rows, columns):
    pixels = np.arange(64 * 64, dtype=np.uint32).reshape(64, 64).astype(np.uint8) | 1
    try:
        box = Box(row=row, column=column, rows=rows, columns=columns)
        down, across = box.slices(pixels.shape)
    except ValueError:
        assert row + rows > 100 or column + columns > 100 or min(rows, columns) < 100 / 64
        return
    hidden = (down.stop - down.start) * (across.stop - across.start)

    assert np.count_nonzero(blank(pixels, box) == 0) == hidden
    for modified in (move_marker(pixels, box), move_marker(pixels, box, "to-middle")):
        assert modified.shape == pixels.shape
    assert crop(pixels, box).shape == pixels.shape


@pytest.mark.parametrize("sides", [(-1, 0, 10, 10), (0, 95, 10, 10), (0, 0, 0, 10)])
def test_a_box_beyond_its_picture_or_empty_is_refused(sides):
    with pytest.raises(ValueError, match="within the image"):
        Box(**dict(zip(("row", "column", "rows", "columns"), sides, strict=True)))


def test_the_figure_shows_four_modifications_or_what_is_done_to_a_marker_that_is_there(chest):
    assert [row.kind for row in figure_modifications()] == [
        "unmodified",
        "marker-added",
        "rotation",
        "obscured",
        "cropped",
    ]
    box = Box(row=0, column=90, rows=8, columns=10)
    _, moved, blanked, *_ = figure_modifications(box)

    assert np.array_equal(moved.make(chest), move_marker(chest, box))
    assert np.array_equal(blanked.make(chest), blank(chest, box))
