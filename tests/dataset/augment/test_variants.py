"""The 106: counted, named, pairwise different, and the same whoever makes them."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from cxrview.dataset.augment.poses import Edge
from cxrview.dataset.augment.variants import (
    PROGENITOR,
    VARIANTS,
    make_all_variants,
    make_variant,
    variant_named,
)
from cxrview.errors import UsageError
from cxrview.image import squash
from cxrview.phantom.patient import draw_patient
from cxrview.phantom.render import render_patient
from cxrview.records.dataset import Variant
from cxrview.terms import Projection

RANDOM = {"spread", "gaussian-noise", "impulse-noise", "laplacian-noise", "poisson-noise"}


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    pixels = render_patient(draw_patient(1, seed=0), Projection.PA, size=(512, 420), bits=8)
    return squash(pixels.astype(np.uint8))


@pytest.fixture(scope="module")
def made(drawn) -> np.ndarray:
    return make_all_variants(drawn, seed=0, image_id="a")


def test_they_are_106_the_progenitor_and_7_poses_times_15_perturbations():
    names = [variant.name for variant in VARIANTS]

    assert len(names) == len(set(names)) == 106
    assert names[0] == "progenitor"
    assert "flip-horizontal/translate-north" in names
    assert len({variant.pose for variant in VARIANTS}) == 7
    assert len({variant.perturbation for variant in VARIANTS[1:]}) == 15


def test_the_paper_s_sets_come_out():
    """1,129 -> 119,674 training and 376 -> 39,856 validation images (section 2)."""
    assert 1129 * len(VARIANTS) == 119_674
    assert 376 * len(VARIANTS) == 39_856


def test_all_are_pictures_and_pairwise_different(made):
    assert made.shape == (106, 256, 256)
    assert made.dtype == np.uint8
    assert len({picture.tobytes() for picture in made}) == 106


def test_the_first_is_the_progenitor_untouched_and_a_copy(drawn, made):
    assert np.array_equal(made[0], drawn)
    assert not np.shares_memory(make_variant(drawn, PROGENITOR, seed=0, image_id="a"), drawn)


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_one_by_one_they_are_the_same_as_all_at_once(drawn, made, variant):
    one = make_variant(drawn, variant, seed=0, image_id="a")

    assert one.flags.c_contiguous
    assert np.array_equal(one, made[VARIANTS.index(variant)])


def test_two_processes_make_the_same_bytes(drawn, made):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(make_all_variants, drawn, seed=0, image_id="a") for _ in range(2)]
        again = [job.result() for job in jobs]

    assert all(np.array_equal(one, made) for one in again)


@pytest.mark.parametrize("changed", [{"seed": 1}, {"image_id": "b"}])
def test_seed_and_image_decide_what_is_random_and_nothing_else(drawn, made, changed):
    others = make_all_variants(drawn, **({"seed": 0, "image_id": "a"} | changed))

    differ = [not np.array_equal(one, other) for one, other in zip(made, others, strict=True)]
    assert differ == [variant.perturbation in RANDOM for variant in VARIANTS]


def test_the_noise_of_one_pose_is_not_that_of_another(drawn):
    flat = np.full((256, 256), 120, np.uint8)
    noisy = [
        make_variant(flat, variant, seed=0, image_id="a")
        for variant in VARIANTS
        if variant.perturbation == "gaussian-noise"
    ]

    centres = [picture[8:-8, 8:-8].tobytes() for picture in noisy]
    assert len(set(centres)) == 7


def test_the_edge_is_an_option(drawn):
    bright = np.full((256, 256), 200, np.uint8)
    north = variant_named("rotate-2-clockwise/translate-north")

    black = make_variant(bright, north, seed=0, image_id="a")
    repeated = make_variant(bright, north, seed=0, image_id="a", edge=Edge.REPEAT)

    assert (black[-3:] == 0).all()
    assert (repeated == 200).all()


def test_a_picture_that_may_not_be_written_will_do(drawn):
    frozen = drawn.copy()
    frozen.setflags(write=False)

    make_all_variants(frozen, seed=0, image_id="a")

    assert np.array_equal(frozen, drawn)


@pytest.mark.parametrize(
    "pixels", [np.zeros((256, 255), np.uint8), np.zeros((256, 256)), np.zeros((4, 4, 3), np.uint8)]
)
def test_other_than_a_square_of_grey_values_is_refused(pixels):
    with pytest.raises(ValueError, match="a progenitor is .*uint8.*; got"):
        make_variant(pixels, PROGENITOR, seed=0, image_id="a")


def test_a_name_that_is_none_of_the_106_is_refused():
    with pytest.raises(UsageError, match="sideways"):
        variant_named("sideways")
    with pytest.raises(ValueError, match="flip-vertical"):
        Variant(pose="flip-vertical", perturbation=None)
