"""Pixels of another type, range or shape are refused in words, wherever an array is taken."""

import numpy as np
import pytest

from cxrview.assess.modify import Marker, add_marker, blank, crop, move_marker
from cxrview.assess.robustness import score_modified
from cxrview.assess.robustness_run import modified_images, score_modified_images
from cxrview.dataset.augment.poses import rotate
from cxrview.dataset.augment.variants import VARIANTS, make_all_variants, make_variant
from cxrview.image import minmax_to_uint8, squash
from cxrview.records.answers import Answers
from cxrview.records.classification import Instance, Radiograph
from cxrview.records.evaluation import Box
from cxrview.records.pixels import grey_picture, squashed_pictures

BOX = Box(row=10, column=10, rows=20, columns=20)
MARKER = Marker(text="L", height_percent=10, corner="top-left")
TAKES_A_PICTURE = {
    "squash": squash,
    "Radiograph": lambda p: Radiograph(instance=Instance(path="x", content_id=""), pixels=p),
    "add_marker": lambda p: add_marker(p, MARKER),
    "move_marker": lambda p: move_marker(p, BOX),
    "blank": lambda p: blank(p, BOX),
    "crop": lambda p: crop(p, BOX),
    "rotate": lambda p: rotate(p, 10),
    "make_variant": lambda p: make_variant(p, VARIANTS[0], seed=0, image_id="x"),
    "make_all_variants": lambda p: make_all_variants(p, seed=0, image_id="x"),
    "modified_images": modified_images,
    "score_modified_images": lambda p: score_modified_images(
        p, lambda b: Answers(pfi=np.zeros(len(b)))
    ),
}
CHEST = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)


@pytest.mark.parametrize("take", TAKES_A_PICTURE.values(), ids=TAKES_A_PICTURE)
@pytest.mark.parametrize(
    "pixels, got",
    [
        (CHEST / 255, "got float64 from 0 to 1. cxrview.image.minmax_to_uint8"),
        (CHEST.astype(np.uint16) * 16, "got uint16 from 0 to 4080"),
        (CHEST.astype(np.int8), "got int8 from -128 to 127"),
        (CHEST > 99, "got bool"),
        (CHEST[None], r"got shape \(1, 64, 64\)"),
        (CHEST.ravel(), r"got shape \(4096,\)"),
        (np.dstack([CHEST] * 3), r"got shape \(64, 64, 3\). Convert a colour image to grey first"),
        (np.zeros((0, 64), np.uint8), r"at least 1, uint8; got shape \(0, 64\)"),
        (CHEST.tolist(), "got a list. np.stack"),
        ("chest.png", "got a str"),
    ],
    ids=["share", "12 bits", "int8", "bool", "batch", "flat", "colour", "empty", "list", "name"],
)
def test_what_is_no_picture_of_uint8_is_refused_with_what_came(take, pixels, got):
    with pytest.raises(ValueError, match=got):
        take(pixels)


@pytest.mark.parametrize("take", TAKES_A_PICTURE.values(), ids=TAKES_A_PICTURE)
def test_a_picture_of_uint8_is_taken(take):
    assert take(CHEST) is not None


def test_not_a_number_is_told_of():
    pixels = np.array([[0.5, np.nan], [1.0, np.inf]])

    with pytest.raises(ValueError, match="float64 from 0.5 to 1, and non-finite values"):
        grey_picture(pixels)
    with pytest.raises(ValueError, match="float64 without a finite value"):
        grey_picture(np.full((2, 2), np.nan))


def test_an_array_of_numpys_is_given_back_itself():
    batch = np.zeros((2, 64, 64), np.uint8)[::-1]

    assert grey_picture(CHEST.T).base is CHEST
    assert squashed_pictures(batch, 64) is batch


@pytest.mark.parametrize(
    "shape, how",
    [
        ((64, 64), r"One radiograph is a batch by pixels\[None\]"),
        ((2, 1, 64, 64), r"pixels\[:, 0\] leaves out the axis of channels"),
        ((2, 64, 64, 1), r"pixels\[..., 0\] leaves out the axis of channels"),
        ((2, 3, 64, 64), "convert the images to grey first"),
        ((2, 32, 32), r"cxrview.image.squash\(picture, 64\) gives each"),
        ((2, 64, 32), r"cxrview.image.squash\(picture, 64\) gives each"),
        ((), "cxrview.image.squash"),
    ],
)
def test_a_batch_of_another_shape_is_refused_with_the_way_to_the_right_one(shape, how):
    with pytest.raises(ValueError, match=rf"shape \(n, 64, 64\), uint8; got shape .*{how}"):
        squashed_pictures(np.zeros(shape, np.uint8), 64)


def test_a_model_under_modifications_is_asked_about_uint8_alone():
    with pytest.raises(ValueError, match="got float64 from 0 to 1"):
        score_modified(CHEST[None] / 255, None, None, batch=1)


@pytest.mark.parametrize("side", [0, -1])
def test_a_square_without_a_row_is_refused(side):
    with pytest.raises(ValueError, match=f"at least 1; got {side}"):
        squash(CHEST, side)


@pytest.mark.parametrize(
    "values, mask, message",
    [
        (np.zeros((2, 2, 2)), None, r"shape \(rows, columns\), both at least 1; got shape"),
        (np.zeros((0, 5)), None, "both at least 1; got shape"),
        ([[1, 2]], None, "got list"),
        (np.array([["a", "b"]]), None, "got <U1"),
        (np.zeros((2, 2), complex), None, "got complex128"),
        (np.zeros((2, 2)), np.ones(2, bool), r"got bool of shape \(2,\)"),
        (np.zeros((2, 2)), np.ones((2, 2)), "got float64 of shape"),
    ],
)
def test_what_cannot_be_windowed_is_refused(values, mask, message):
    with pytest.raises(ValueError, match=message):
        minmax_to_uint8(values, padding=mask)
