import io

import numpy as np
import pytest
from PIL import Image

from cxrview.web.mask_border import mask_border
from cxrview.web.picture_pool import PicturePool
from cxrview.web.settings import PictureSettings


@pytest.mark.parametrize("shape", [(200, 100), (7, 3), (1, 1)])
def test_mask_border_covers_the_outer_tenth_of_each_side(shape):
    pixels = np.full(shape, 255, np.uint8)
    rows, columns = (round(side / 10) for side in shape)
    masked = mask_border(pixels)

    assert masked.shape == shape and (pixels == 255).all()
    inside = masked[rows : shape[0] - rows, columns : shape[1] - columns]
    assert (inside == 255).all() and (masked == 255).sum() == inside.size


@pytest.mark.parametrize("masks_border", [False, True])
def test_picture_pool_covers_borders_where_the_settings_say_so(tmp_path, masks_border):
    pixels = np.zeros((400, 400), np.uint8)
    pixels[:40], pixels[200:] = 255, 200
    Image.fromarray(pixels).save(tmp_path / "film.png")
    pool = PicturePool(PictureSettings(picture_workers=1, masks_border=masks_border))
    picture = pool.submit(str(tmp_path / "film.png"), 400).done.result(60)
    pool.close()
    top = np.asarray(Image.open(io.BytesIO(picture)))[:30]

    assert (top > 200).all() if not masks_border else (abs(top.astype(int) - 128) < 8).all()
