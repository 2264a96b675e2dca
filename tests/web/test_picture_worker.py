"""The picture worker: what it renders, and what it says of a file that it cannot read."""

import io

import numpy as np
import pytest
from PIL import Image

from cxrview.errors import CannotOpen
from cxrview.image import open_image
from cxrview.web.picture_worker import FAILURE, PICTURE, answer, render


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("edge", "size"), [(256, (128, 256)), (400, (200, 400)), (2048, (300, 600))]
)
def test_render_fits_a_picture_and_does_not_enlarge_it(film, edge, size):
    picture = opened(render(film, edge))

    assert (picture.format, picture.mode, picture.size) == ("JPEG", "L", size)


def test_render_gives_all_pixels_of_the_radiograph(film):
    picture = opened(render(film, 0))

    assert picture.format == "PNG"
    assert np.array_equal(np.asarray(picture), open_image(film).decode().pixels)


def test_render_windows_from_minimum_to_maximum(film):
    pixels = np.asarray(opened(render(film, 400)))

    assert (pixels.min(), pixels.max()) == (0, 255)


def test_answer_gives_the_reason_without_the_path(tmp_path):
    with pytest.raises(CannotOpen):
        render(str(tmp_path / "Doe_Jane.dcm"), 256)

    said = answer(str(tmp_path / "Doe_Jane.dcm"), 256)

    assert said.startswith(FAILURE + b"cannot_open: ")
    assert b"Doe" not in said and str(tmp_path).encode() not in said


def test_render_writes_nothing_but_pixels(film):
    """No comment, no camera's notes, no profile in which a name could travel."""
    markers = answer(film, 256)[1:]

    assert answer(film, 256).startswith(PICTURE)
    assert not {"exif", "icc_profile", "comment"} & set(opened(markers).info)


@pytest.fixture
def wide_film(tmp_path):
    """A chest in a fifth of 16 bits, a saturated letter and a dead pixel."""
    rng = np.random.default_rng(0)
    values = rng.integers(20_000, 33_000, (600, 500)).astype(np.uint16)
    values[:10, :10], values[-1, -1] = 65535, 0
    path = tmp_path / "wide.png"
    Image.fromarray(values).save(path)
    return str(path)


@pytest.mark.parametrize("edge", [0, 256, 1024])
def test_render_keeps_grey_levels_beside_a_saturated_letter_in_the_auto_window(wide_film, edge):
    plain, auto = (
        np.asarray(opened(render(wide_film, edge, window))) for window in ("minmax", "auto")
    )

    spread = {name: np.ptp(np.percentile(shown[20:, 20:], (2, 98))) for name, shown in
              (("plain", plain), ("auto", auto))}  # fmt: skip
    assert spread["auto"] > 4.5 * spread["plain"]


def test_render_has_more_grey_levels_in_the_auto_window(wide_film):
    """Of the same values a browser could only stretch 51 levels that are there."""
    shown = (np.asarray(opened(render(wide_film, 0, window))) for window in ("minmax", "auto"))

    assert [len(np.unique(pixels[20:-1, 20:])) for pixels in shown] == [52, 256]


def test_render_takes_the_auto_window_from_the_full_depth(wide_film):
    values = np.asarray(Image.open(wide_film)).astype(float)
    low, high = np.percentile(values, (0.5, 99.5), method="nearest")
    expected = np.floor(np.clip((values - low) / (high - low), 0, 1) * 255)

    assert np.array_equal(np.asarray(opened(render(wide_film, 0, "auto"))), expected)


def test_render_leaves_the_window_of_the_model_as_it_is(wide_film):
    before = open_image(wide_film).decode().pixels
    render(wide_film, 0, "auto")

    assert np.array_equal(open_image(wide_film).decode().pixels, before)
