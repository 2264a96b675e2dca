"""The fifteen perturbations: places by another library, noises by their distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from scipy.ndimage import shift

from cxrview.dataset.augment.noise_reduction import reduce_noise
from cxrview.dataset.augment.perturb import (
    GAUSSIAN_SD,
    IMPULSE_SHARE,
    LAPLACIAN_SCALE,
    PERTURBATIONS,
    POISSON_QUANTA,
    add_gaussian_noise,
    add_impulse_noise,
    add_laplacian_noise,
    add_poisson_noise,
    spread,
)
from cxrview.dataset.augment.poses import Edge

TRANSLATIONS = {
    "translate-north": (-3, 0),
    "translate-north-east": (-3, 3),
    "translate-east": (0, 3),
    "translate-south-east": (3, 3),
    "translate-south": (3, 0),
    "translate-south-west": (3, -3),
    "translate-west": (0, -3),
    "translate-north-west": (-3, -3),
}
GREY = np.full((512, 512), 120, np.uint8)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_there_are_fifteen_and_eight_of_them_translate():
    assert len(PERTURBATIONS) == 15
    assert list(PERTURBATIONS)[:8] == list(TRANSLATIONS)


@pytest.mark.parametrize("name", TRANSLATIONS)
@pytest.mark.parametrize(("edge", "mode"), [("black", "constant"), ("repeat", "nearest")])
def test_translations_are_those_of_scipy(name, edge, mode):
    rough = np.random.default_rng(0).integers(1, 256, (64, 64)).astype(np.uint8)

    moved = PERTURBATIONS[name](rough, rng(), Edge(edge))

    assert np.array_equal(moved, shift(rough, TRANSLATIONS[name], order=0, mode=mode))


def test_spread_takes_every_near_place_equally_often():
    place = np.arange(256 * 256).reshape(256, 256)

    taken = spread(place, rng(), radius=2)

    steps = np.stack([taken // 256 - place // 256, taken % 256 - place % 256])[:, 2:-2, 2:-2]
    steps = steps.reshape(2, -1) + 2
    counts = np.bincount(steps[0] * 5 + steps[1])
    assert steps.min() == 0
    assert steps.max() == 4
    assert len(counts) == 25
    assert stats.chisquare(counts).pvalue > 0.01


def test_spread_brings_nothing_in_from_outside():
    bright = np.full((16, 16), 200, np.uint8)

    assert (spread(bright, rng()) == 200).all()


@st.composite
def pictures(draw):
    """Of few values, so that medians are often peaks."""
    shape = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    few = st.sampled_from([0, 1, 7, 254, 255])
    return draw(arrays(np.uint8, shape, elements=few))


@given(pixels=pictures(), width=st.sampled_from([1, 2, 3, 5]))
def test_noise_reduction_takes_the_value_beside_a_median_that_is_a_peak(pixels, width):
    """The definition itself, window by window."""
    rows, columns = pixels.shape
    slow = np.empty_like(pixels)
    for row in range(rows):
        for column in range(columns):
            down = np.clip(np.arange(width) + row - width // 2, 0, rows - 1)
            right = np.clip(np.arange(width) + column - width // 2, 0, columns - 1)
            slow[row, column] = not_a_peak(pixels[np.ix_(down, right)].ravel())

    assert np.array_equal(reduce_noise(pixels, width), slow)


def not_a_peak(window: np.ndarray) -> int:
    median = np.sort(window)[len(window) // 2]
    values = sorted(set(window.tolist()))
    at = values.index(median)
    if len(values) > 1 and at == 0:
        return values[1]
    if len(values) > 1 and at == len(values) - 1:
        return values[-2]
    return int(median)


@pytest.mark.parametrize("turn", [np.fliplr, np.flipud, np.rot90])
def test_an_odd_window_commutes_with_reflections_and_quarter_turns(turn):
    rough = np.random.default_rng(0).integers(0, 4, (64, 64)).astype(np.uint8)

    assert np.array_equal(reduce_noise(turn(rough), 5), turn(reduce_noise(rough, 5)))


def test_other_even_windows_are_refused():
    with pytest.raises(ValueError, match="2 or an odd number"):
        reduce_noise(GREY, 4)


def test_gaussian_noise_is_normal_and_its_sd_is_the_stated_one():
    noise = add_gaussian_noise(GREY, rng()).astype(float) - 120

    assert noise.mean() == pytest.approx(0, abs=0.15)
    assert noise.std() == pytest.approx(GAUSSIAN_SD, rel=0.01)
    assert_distributed(noise, stats.norm(scale=GAUSSIAN_SD))


def test_laplacian_noise_is_laplacian_and_its_scale_is_the_stated_one():
    noise = add_laplacian_noise(GREY, rng()).astype(float) - 120

    assert noise.mean() == pytest.approx(0, abs=0.15)
    assert noise.std() == pytest.approx(LAPLACIAN_SCALE * np.sqrt(2), rel=0.01)
    assert_distributed(noise, stats.laplace(scale=LAPLACIAN_SCALE))


def assert_distributed(noise: np.ndarray, expected) -> None:
    """Whole grey values stand for half a value about them, which a draw within undoes."""
    within = np.random.default_rng(1).uniform(-0.5, 0.5, noise.shape)
    assert stats.kstest((noise + within).ravel()[::16], expected.cdf).pvalue > 0.01


def test_impulses_are_as_many_black_as_white_and_all_else_stays():
    noisy = add_impulse_noise(GREY, rng())

    half = IMPULSE_SHARE / 2
    assert (noisy == 0).mean() == pytest.approx(half, rel=0.05)
    assert (noisy == 255).mean() == pytest.approx(half, rel=0.05)
    assert set(np.unique(noisy)) == {0, 120, 255}


@pytest.mark.parametrize("grey", [1, 30, 120, 200, 255])
def test_quanta_are_counted_as_often_as_poisson_says(grey):
    noisy = add_poisson_noise(np.full((512, 512), grey, np.uint8), rng())

    # Below white (12.5), each count has a grey value of its own.
    counts = np.bincount(np.rint(noisy.ravel() * (POISSON_QUANTA / 255)).astype(int))
    counts = np.pad(counts, (0, 13))[:12]
    mean = grey * POISSON_QUANTA / 255
    expected = stats.poisson(mean).pmf(np.arange(12)) * noisy.size
    often = expected > 20
    scores = (counts - expected)[often] ** 2 / expected[often]
    assert stats.chi2(often.sum()).sf(scores.sum()) > 0.01


@pytest.mark.parametrize(
    "add", [add_gaussian_noise, add_laplacian_noise, add_impulse_noise, add_poisson_noise]
)
def test_noise_stays_within_black_and_white_and_leaves_its_input_alone(add):
    picture = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    picture.setflags(write=False)

    noisy = add(picture, rng())

    assert noisy.dtype == np.uint8
    assert noisy.shape == picture.shape
    assert abs(noisy[:, :20].astype(int).mean() - picture[:, :20].mean()) < 20


def test_black_has_no_quanta_to_count():
    assert not add_poisson_noise(np.zeros((64, 64), np.uint8), rng()).any()
