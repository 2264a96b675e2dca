import numpy as np
import pytest

from cxrview.train.augment import AUGMENTATIONS, augment
from cxrview.train.recipes import WORLD


@pytest.mark.parametrize("change", AUGMENTATIONS.values(), ids=AUGMENTATIONS)
def test_augmentation_keeps_shape_and_type_and_changes_pixels(bars, change):
    pixels = bars.radiographs.pixels[1]

    changed = change(pixels, np.random.default_rng(3))

    assert (changed.shape, changed.dtype) == (pixels.shape, np.uint8)
    assert not np.array_equal(changed, pixels) or change.__name__ == "upside_down"


@pytest.mark.parametrize("change", AUGMENTATIONS.values(), ids=AUGMENTATIONS)
@pytest.mark.parametrize("shade", [0, 255])
def test_augmentation_takes_image_of_one_shade(change, shade):
    for seed in range(40):
        changed = change(np.full((256, 256), shade, np.uint8), np.random.default_rng(seed))
        assert (changed.shape, changed.dtype) == ((256, 256), np.uint8)


def test_augment_is_repeatable(bars):
    pixels = bars.radiographs.pixels[0]
    one, two = (augment(pixels, WORLD.chances, np.random.default_rng(7)) for _ in range(2))

    assert np.array_equal(one, two)
