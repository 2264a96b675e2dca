"""Noise reduction, spread and the four noises against the real ImageMagick 6."""

import csv
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import chi2_contingency, ks_2samp

from cxrview.dataset.augment.noise_reduction import reduce_noise
from cxrview.dataset.augment.perturb import (
    SPREAD_RADIUS,
    add_gaussian_noise,
    add_impulse_noise,
    add_laplacian_noise,
    add_poisson_noise,
    spread,
)
from cxrview.dataset.augment.variants import make_variant, variant_named
from cxrview.image import read_radiograph, squash
from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import render_patient
from cxrview.terms import Projection

NOISES = {
    "Gaussian": add_gaussian_noise,
    "Impulse": add_impulse_noise,
    "Laplacian": add_laplacian_noise,
    "Poisson": add_poisson_noise,
}


def converted(convert: str, pixels: np.ndarray, folder: Path, *options: str) -> np.ndarray:
    Image.fromarray(pixels).save(folder / "in.pgm")
    subprocess.run([convert, "in.pgm", "-seed", "1", *options, "out.pgm"], check=True, cwd=folder)
    return np.asarray(Image.open(folder / "out.pgm"))


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    pixels = render_patient(draw_patient(1, seed=0), Projection.PA, size=(512, 420), bits=8)
    return squash(pixels.astype(np.uint8))


@pytest.mark.parametrize("width", [2, 5])
@pytest.mark.parametrize(
    "name",
    [
        "progenitor",
        "rotate-2-clockwise/translate-north-east",
        "flip-vertical/spread",
        "identity/noise-reduction-2",
        "identity/noise-reduction-5",
        "rotate-90-clockwise/gaussian-noise",
        "flip-horizontal/impulse-noise",
        "identity/poisson-noise",
    ],
)
def test_noise_reduction_is_that_of_convert_pixel_by_pixel(program, tmp_path, drawn, name, width):
    """On every kind of picture: smooth, with black corners, smoothed, noisy, of few values."""
    pixels = make_variant(drawn, variant_named(name), seed=0, image_id="drawn")

    theirs = converted(program("ImageMagick 6"), pixels, tmp_path, "-noise", str(width))

    assert np.array_equal(reduce_noise(pixels, width), theirs)


@pytest.mark.parametrize("width", [2, 5])
def test_noise_reduction_of_radiographs_is_that_of_convert(shared_data, program, tmp_path, width):
    with (shared_data / "labels.csv").open() as file:
        files = [row["file"] for row in csv.DictReader(file)]
    for name in files[:: len(files) // 8]:
        pixels = squash(read_radiograph(str(shared_data / name)).pixels)

        theirs = converted(program("ImageMagick 6"), pixels, tmp_path, "-noise", str(width))

        assert np.array_equal(reduce_noise(pixels, width), theirs)


@pytest.mark.parametrize("width", [2, 5])
@pytest.mark.parametrize("values", [1, 2, 3, 256])
def test_noise_reduction_of_any_few_values_is_that_of_convert(program, tmp_path, width, values):
    """Few values make most windows have a peak for a median, and ties at every edge."""
    rng = np.random.default_rng(values)
    pixels = rng.choice(rng.permutation(256)[:values], (61, 47)).astype(np.uint8)

    theirs = converted(program("ImageMagick 6"), pixels, tmp_path, "-noise", str(width))

    assert np.array_equal(reduce_noise(pixels, width), theirs)


def test_spread_moves_pixels_as_far_and_as_often_as_convert(program, tmp_path):
    place = np.arange(256 * 256, dtype=np.uint16).reshape(256, 256)
    options = ("-interpolate", "nearest-neighbor", "-spread", str(SPREAD_RADIUS))
    theirs = converted(program("ImageMagick 6"), place, tmp_path, *options)

    ours = spread(place, np.random.default_rng(0))

    steps = [steps_taken(place, spread_out) for spread_out in (ours, theirs)]
    assert set(steps[0]) == set(steps[1])
    counts = [np.unique(one, return_counts=True)[1] for one in steps]
    assert len(counts[0]) == (2 * SPREAD_RADIUS + 1) ** 2
    assert chi2_contingency(counts).pvalue > 0.01


def steps_taken(place: np.ndarray, spread_out: np.ndarray) -> np.ndarray:
    """Rows and columns that each pixel came from, as one number; away from the edges."""
    rows = spread_out.astype(int) // 256 - place // 256
    columns = spread_out.astype(int) % 256 - place % 256
    return (rows * 1000 + columns)[8:-8, 8:-8].ravel()


@pytest.mark.parametrize("grey", [0, 10, 100, 245, 255])
@pytest.mark.parametrize("name", NOISES)
def test_each_noise_is_distributed_as_that_of_convert(program, tmp_path, name, grey):
    flat = np.full((256, 256), grey, np.uint8)
    theirs = converted(program("ImageMagick 6"), flat, tmp_path, "+noise", name).astype(float)

    ours = NOISES[name](flat, np.random.default_rng(0)).astype(float)

    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.5)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    assert ks_2samp(ours.ravel(), theirs.ravel()).pvalue > 0.01
