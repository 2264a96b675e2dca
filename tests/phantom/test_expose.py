"""From attenuation to grey values."""

import numpy as np
import pytest

from cxrview.phantom.expose import Exposure, blurred, expose, transmitted


def test_without_scatter_the_beam_follows_beer_and_lambert():
    attenuation = np.linspace(0, 6, 48).reshape(6, 8)

    assert transmitted(attenuation, scatter=0.0) == pytest.approx(np.exp(-attenuation))


def test_scatter_fogs_what_is_dense_and_leaves_open_air_alone():
    """Behind lead stands only what was scattered; where nothing scatters nothing is added."""
    attenuation = np.full((60, 60), 2.0)
    attenuation[25:35, 25:35] = 12.0
    fogged = transmitted(attenuation, scatter=0.5)

    assert fogged[30, 30] > 100 * np.exp(-12.0)
    assert transmitted(np.zeros((60, 60)), scatter=0.5) == pytest.approx(np.ones((60, 60)))


def test_a_blur_keeps_a_flat_picture_flat():
    assert blurred(np.full((50, 40), 3.0), 0.1) == pytest.approx(np.full((50, 40), 3.0))


def test_noise_falls_as_the_root_of_the_quanta():
    attenuation = np.tile(np.linspace(1, 4, 200), (200, 1))
    spread = []
    for quanta in (2_000.0, 200_000.0):
        exposure = Exposure(quanta=quanta, sharpen=0, equalise=0, scatter=0, marker="")
        first, second = (expose(attenuation, exposure, seed) for seed in (1, 2))
        spread.append(float(np.std(first[:, 80:100] - second[:, 80:100])))

    assert spread[0] / spread[1] == pytest.approx(10, rel=0.1)


def test_covered_margins_are_black_with_a_shutter_and_white_without():
    attenuation = np.tile(np.linspace(0, 4, 100), (100, 1))
    for is_shuttered, value in ((True, 0.0), (False, 1.0)):
        exposure = Exposure(margins=(0.1, 0.1, 0.1, 0.1), is_shuttered=is_shuttered)
        grey = expose(attenuation, exposure, seed=0)

        assert (grey[:10] == value).all()
        assert (grey[:, 90:] == value).all()
        assert (grey[10:90, 10:90] != value).any()


def test_the_marker_is_where_it_was_laid():
    attenuation = np.full((200, 200), 1.0) + np.linspace(0, 3, 200)
    with_marker, without = (
        expose(attenuation, Exposure(marker=letter, marker_at=(0.1, 0.2)), seed=3)
        for letter in ("R", "")
    )
    rows, columns = np.nonzero(with_marker - without > 0.3)

    assert abs(rows.mean() - 20) < 5
    assert abs(columns.mean() - 40) < 5
