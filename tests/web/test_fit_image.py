import numpy as np
import pytest
from PIL import Image

from cxrview.image import open_image
from cxrview.web.fit_image import fit_image


def drawn(rows: int, columns: int) -> np.ndarray:
    """Soft shapes, as a radiograph has."""
    y, x = np.mgrid[0:rows, 0:columns]
    waves = np.sin(x / columns * 9) + np.cos(y / rows * 7) + np.sin((x + y) / 40)
    return ((waves - waves.min()) / np.ptp(waves) * 65535).astype(np.uint16)


@pytest.fixture
def film(tmp_path):
    def write(rows, columns, name="film.png", **how):
        path = tmp_path / name
        pixels = drawn(rows, columns)
        Image.fromarray(pixels if name.endswith("png") else (pixels >> 8).astype(np.uint8)).save(
            path, **how
        )
        return path

    return write


@pytest.mark.parametrize(
    ("rows", "columns", "edge", "shape"),
    [
        (900, 600, 300, (300, 200)),  # by the fast reader
        (600, 900, 300, (200, 300)),
        (900, 600, 700, (700, 467)),  # too near for it
        (2000, 100, 500, (500, 25)),  # too narrow for it
        (300, 200, 512, (300, 200)),  # never enlarged
        (300, 200, None, (300, 200)),
        (900, 2, 10, (10, 1)),
    ],
)
def test_fit_image_keeps_the_proportions(film, rows, columns, edge, shape):
    assert fit_image(open_image(film(rows, columns)), edge).shape == shape


def test_fit_image_leaves_all_pixels_as_they_are(film):
    file = open_image(film(300, 200))

    assert np.array_equal(fit_image(file, None), file.decode().pixels)
    assert np.array_equal(fit_image(file, 512), file.decode().pixels)


@pytest.mark.parametrize("edge", [150, 300, 450])
def test_fit_image_averages_the_pixels_of_the_large_image(film, edge):
    """The fast reader's way over a square shows nothing that Pillow's box does not."""
    file = open_image(film(900, 600))
    small = fit_image(file, edge).astype(float)
    rows, columns = small.shape
    pixels = Image.fromarray(file.decode().pixels)
    box = np.asarray(pixels.resize((columns, rows), Image.Resampling.BOX)).astype(float)

    assert np.abs(small - box).mean() < 1


def test_fit_image_keeps_the_proportions_of_a_photograph_that_exif_rotates(film):
    """Orientation 6 (EXIF 0x0112): rows are columns; the header's size is not the picture's."""
    notes = Image.Exif()
    notes[0x0112] = 6
    file = open_image(film(900, 600, "film.jpg", exif=notes))

    assert fit_image(file, 300).shape == (200, 300)
