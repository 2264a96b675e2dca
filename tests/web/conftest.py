"""A radiograph to make pictures of."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "Doe_Jane.png"
    rows = np.linspace(0, 65535, 600)[:, None] * np.ones((1, 300))
    Image.fromarray(rows.astype(np.uint16)).save(path)
    return str(path)
