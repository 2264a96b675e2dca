"""What the trunk sees is kept by one process at a time and read by any number."""

import numpy as np
import pytest
import torch

from cxrview.atomic_files import locked
from cxrview.dataset.augment.variants import VARIANTS
from cxrview.errors import UsageError
from cxrview.paper.candidate_images import VariantImages
from cxrview.paper.features import variant_features
from cxrview.records.dataset import PreparedImage
from cxrview.terms import View
from cxrview.train.googlenet import GoogLeNet


@pytest.fixture(scope="module")
def network() -> GoogLeNet:
    torch.manual_seed(0)
    return GoogLeNet(2, auxiliary=False)


@pytest.fixture(scope="module")
def images() -> VariantImages:
    image = PreparedImage(
        row=0,
        file="drawn.png",
        source="",
        study="",
        patient="p",
        view=View.FRONTAL,
        file_sha256="",
        pixel_sha256="",
    )
    pixels = np.random.default_rng(0).integers(0, 256, (1, 256, 256), np.uint8)
    return VariantImages(images=(image,), pixels=pixels, variants=VARIANTS[:2], seed=0)


def test_a_folder_that_another_process_computes_in_is_refused(network, images, tmp_path):
    folder = tmp_path / "features"
    folder.mkdir()

    with (
        locked(folder),
        pytest.raises(UsageError, match="another process is computing features in"),
    ):
        variant_features(network, images, folder)

    assert list(folder.iterdir()) == []
    assert variant_features(network, images, folder).shape == (2, 1024)


def test_bf16_features_are_near_float32_ones_and_kept_apart(network, images, tmp_path):
    exact = variant_features(network, images, tmp_path)

    rounded = variant_features(network, images, tmp_path, is_bf16=True)

    assert rounded.dtype == np.float32
    assert not np.array_equal(rounded, exact)
    assert np.linalg.norm(rounded - exact) < 0.02 * np.linalg.norm(exact)
    assert np.array_equal(variant_features(network, images, tmp_path), exact)
    assert np.array_equal(variant_features(network, images, tmp_path, is_bf16=True), rounded)


def test_features_that_are_there_are_read_while_another_computes(network, images, tmp_path):
    computed = variant_features(network, images, tmp_path)

    with locked(tmp_path):
        read = variant_features(network, images, tmp_path)

    assert np.array_equal(read, computed)
