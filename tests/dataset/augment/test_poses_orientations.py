"""The sixteen orientations: all different, and nothing but mirrors, turns and inversion."""

import numpy as np
from PIL import Image, ImageOps

from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.records.scores import PROGENITOR_NAME


def test_there_are_sixteen_all_different_and_the_first_changes_nothing():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 9, 9), np.uint8)

    turned = {turn(pixels).tobytes() for turn in ORIENTATIONS.values()}

    assert len(ORIENTATIONS) == len(turned) == 16
    assert next(iter(ORIENTATIONS)) == PROGENITOR_NAME
    assert np.array_equal(ORIENTATIONS[PROGENITOR_NAME](pixels), pixels)


def test_each_is_what_pillow_makes_of_its_name():
    pixels = np.random.default_rng(1).integers(0, 256, (1, 7, 7), np.uint8)

    for name, turn in ORIENTATIONS.items():
        image = Image.fromarray(pixels[0])
        if "mirrored" in name:
            image = ImageOps.mirror(image)
        for degrees in (90, 180, 270):
            if f"turned-{degrees}" in name:
                image = image.rotate(-degrees)  # Pillow turns anticlockwise
        if "inverted" in name:
            image = ImageOps.invert(image)
        assert np.array_equal(turn(pixels)[0], np.asarray(image)), name
