"""Occlusion maps: peaks where the information is, sign, grid and errors."""

from dataclasses import replace

import numpy as np
import pytest

from cxrview.classify.explain import explain
from cxrview.classify.model import Model, load_model
from cxrview.image import read_radiograph, squash
from cxrview.phantom.archive import draw_archive
from cxrview.records.answers import Answers
from cxrview.records.classification import Instance, Radiograph
from cxrview.terms import Projection, View


@pytest.fixture(scope="module")
def shipped() -> Model:
    return load_model("googlenet")


def radiograph(pixels: np.ndarray) -> Radiograph:
    return Radiograph(instance=Instance(path="", content_id=""), pixels=pixels)


@pytest.mark.parametrize("name", ["default", "googlenet"])
def test_explain_finds_the_only_region_that_shows_a_chest(name, tmp_path):
    """A chest of half the side in the upper right; the rest is black, so that blur changes it not.

    Rows and columns of the region differ, so that a transposed map would fail.
    """
    options = {"strangers": False, "damages": ["none"], "size": (256, 256)}
    draw_archive(tmp_path / "films", patients=1, projections=[Projection.PA], **options)
    (film, *_) = sorted(path for path in (tmp_path / "films").rglob("*") if path.is_file())
    pixels = np.zeros((256, 256), np.uint8)
    region = np.s_[8:136, 120:248]
    pixels[region] = squash(read_radiograph(film).pixels, 128)

    found = explain(radiograph(pixels), load_model(name), step=32)

    is_in_region = np.zeros((256, 256), bool)
    is_in_region[region] = True
    row, column = np.unravel_index(found.pfi_change.argmin(), found.pfi_change.shape)
    centre = found.starts[row] + 32, found.starts[column] + 32
    assert found.prediction.view is View.FRONTAL
    assert is_in_region[centre]
    assert found.pfi_change.min() < -1
    assert abs(found.pfi_change[5:, :2]).max() < 0.01  # the lower left is black
    by_pixel = abs(found.by_pixel(found.pfi_change))
    assert is_in_region[np.unravel_index(by_pixel.argmax(), by_pixel.shape)]


class Brightness:
    """A backend whose PFI is the mean brightness of rows 64 to 127, columns 128 to 191."""

    name, batch, lanes = "brightness", 64, 1

    def __init__(self, *, has_chest: bool = False) -> None:
        self.has_chest, self.pictures = has_chest, 0

    def run(self, batch: np.ndarray) -> Answers:
        self.pictures += len(batch)
        return Answers(
            pfi=batch[:, 64:128, 128:192].mean(axis=(1, 2)) / 2.55,
            chest=np.full(len(batch), 99.0) if self.has_chest else None,
        )


def test_explain_gives_the_change_in_percentage_points(shipped):
    """A spot on black is spread by the blur over more than the square: as much as in scipy's."""
    from scipy.ndimage import gaussian_filter

    model = Model(card=replace(shipped.card, chest_cutoff=None), backend=Brightness())
    pixels = np.zeros((256, 256), np.uint8)
    pixels[88:104, 152:168] = 255

    found = explain(radiograph(pixels), model, square=64, step=64)

    before = 100 * 16 * 16 / (64 * 64)
    blurred = gaussian_filter(pixels.astype(float), 32, mode="nearest")
    after = blurred[64:128, 128:192].mean() / 2.55
    assert found.prediction.pfi == pytest.approx(before, abs=0.001)
    assert found.pfi_change.shape == (4, 4)
    assert found.chest_change is None
    assert found.pfi_change[1, 2] == pytest.approx(after - before, abs=0.3)
    others = found.pfi_change.copy()
    others[1, 2] = 0
    assert not others.any()


@pytest.mark.parametrize(("level", "is_of_second"), [(255, False), (128, True)])
def test_explain_covers_the_image_for_the_model_that_answered(shipped, level, is_of_second):
    """A picture that is half as bright is unclear to the first model."""
    card = replace(shipped.card, review_band=(30.0, 85.0))
    first, second = Brightness(has_chest=True), Brightness(has_chest=True)
    cascade = Model(card=card, backend=first, second=Model(card=card, backend=second))
    pixels = np.zeros((256, 256), np.uint8)
    pixels[64:128, 128:192] = level

    found = explain(radiograph(pixels), cascade, square=64, step=64)

    assert abs(found.pfi_change).max() > 1
    assert (first.pictures, second.pictures) == ((1, 17) if is_of_second else (17, 0))


@pytest.mark.parametrize(
    ("square", "step", "starts"),
    [(64, 64, [0, 64, 128, 192]), (100, 60, [0, 60, 120, 156]), (256, 1, [0])],
)
def test_explain_covers_the_image_to_its_edges(shipped, square, step, starts):
    model = Model(card=replace(shipped.card, chest_cutoff=None), backend=Brightness())
    pixels = np.full((300, 200), 255, np.uint8)
    pixels[0, 0] = 0

    found = explain(radiograph(pixels), model, square=square, step=step)

    assert found.starts.tolist() == starts
    assert found.pixels.shape == found.by_pixel(found.pfi_change).shape == (256, 256)
    constant = np.full_like(found.pfi_change, 2.5)
    assert np.allclose(found.by_pixel(constant), 2.5)  # every pixel is covered


@pytest.mark.parametrize(("square", "step"), [(257, 16), (32, 33), (32, 0), (0, 0)])
def test_explain_refuses_squares_that_leave_gaps(shipped, square, step):
    with pytest.raises(ValueError, match="at most 256"):
        explain(radiograph(np.eye(256, dtype=np.uint8)), shipped, square=square, step=step)
