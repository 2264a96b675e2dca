import numpy as np
import pytest

from cxrview.train.not_chest import DRAWN


@pytest.mark.parametrize("draw", dict.fromkeys(DRAWN), ids=lambda draw: draw.__name__)
def test_draw_functions_give_repeatable_pictures(draw):
    for seed in range(20):
        picture = draw(np.random.default_rng(seed))
        assert (picture.shape, picture.dtype) == ((256, 256), np.uint8)
        assert np.array_equal(picture, draw(np.random.default_rng(seed)))
