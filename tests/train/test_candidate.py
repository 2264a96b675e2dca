"""One candidate of each method, on drawn bars, from images to what it says of validation."""

import dataclasses

import numpy as np
import pytest
import torch

from cxrview.dataset.split import split_images
from cxrview.dataset.variants import VARIANTS, make_variant
from cxrview.records import Prepared, PreparedImage
from cxrview.terms import Partition, View
from cxrview.train.candidate import Study, train_candidate
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.scale import SCALES
from cxrview.train.study import Candidate

TINY = dataclasses.replace(SCALES["smoke"], progenitors=8, augmented_images=8)


@pytest.fixture(scope="module")
def study() -> Study:
    rng = np.random.default_rng(0)
    images = tuple(
        PreparedImage(
            row=k,
            file=f"{k}.png",
            source="drawn",
            study="",
            patient=f"p{k // 2}",
            view=View.FRONTAL if k % 2 else View.LATERAL,
            file_sha256="",
            pixel_sha256=str(k),
        )
        for k in range(40)
    )
    pixels = rng.integers(0, 256, (40, 256, 256), np.uint8)
    prepared = Prepared(images=images, pixels=pixels)
    return Study(prepared=prepared, split=split_images(images, seed=1), scale=TINY, seed=2)


@pytest.fixture(scope="module")
def pre_trained() -> GoogLeNet:
    torch.manual_seed(9)
    return GoogLeNet(1000)


def trained(method: str, study, pre_trained, folder):
    candidate = Candidate(pre_training="colour", fine_tuning=method)
    return train_candidate(candidate, pre_trained, study, folder / f"{method}.safetensors")


@pytest.mark.parametrize(
    ("method", "variants", "is_trunk_kept"),
    [("fc-original", 1, True), ("fc-augmented", 2, True), ("all-augmented", 2, False)],
)
def test_a_method_trains_its_layers_and_is_validated_on_its_images(
    study, pre_trained, tmp_path, method, variants, is_trunk_kept
):
    network, validated = trained(method, study, pre_trained, tmp_path)

    kept = torch.equal(
        network.state_dict()["stem.conv1.7x7_s2.weight"],
        pre_trained.state_dict()["stem.conv1.7x7_s2.weight"],
    )
    validation = set(study.split.files(Partition.VALIDATION))
    assert kept == is_trunk_kept
    assert len(validated.pfi) == variants * len(set(validated.files)) == variants * 4
    assert set(validated.files) <= validation
    assert validated.is_progenitor.sum() == 4
    assert ((validated.pfi >= 0) & (validated.pfi <= 100)).all()


def test_the_same_seed_gives_the_same_candidate(study, pre_trained, tmp_path):
    first = trained("fc-augmented", study, pre_trained, tmp_path)[1]
    (tmp_path / "again").mkdir()

    again = trained("fc-augmented", study, pre_trained, tmp_path / "again")[1]

    assert np.array_equal(first.pfi, again.pfi)


def test_a_finished_candidate_is_taken_from_its_checkpoint(study, pre_trained, tmp_path):
    first = trained("all-augmented", study, pre_trained, tmp_path)[1]
    steps = []

    candidate = Candidate(pre_training="colour", fine_tuning="all-augmented")
    path = tmp_path / "all-augmented.safetensors"
    _, again = train_candidate(
        candidate, pre_trained, study, path, report=lambda step, loss: steps.append(step)
    )

    assert steps == []
    assert np.array_equal(first.pfi, again.pfi)


def test_number_k_is_variant_k_of_its_progenitor(study):
    images = study.part(Partition.TRAINING, VARIANTS)

    image, variant = images.which(106 + 17)

    assert (image, variant) == (images.images[1], VARIANTS[17])
    expected = make_variant(study.prepared.pixels[image.row], variant, seed=2, image_id=image.file)
    assert np.array_equal(images(106 + 17), expected)
    assert len(images) == 8 * 106


def test_every_scale_says_in_words_what_it_is():
    assert SCALES["paper"].words == "as published"
    assert len(SCALES["paper"].variants) == 106
    assert len(SCALES["laptop"].variants) == 8
    for name in ("smoke", "laptop"):
        assert "instead of" in SCALES[name].words or "mean nothing" in SCALES[name].words
