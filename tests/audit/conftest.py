"""A picture to be shown."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def film(tmp_path):
    grey = np.tile(np.arange(256, dtype=np.uint8), (300, 1))
    Image.fromarray(grey).save(tmp_path / "film.png")
    return str(tmp_path / "film.png")
