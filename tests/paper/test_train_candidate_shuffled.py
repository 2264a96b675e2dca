"""Labels that say nothing give accuracy near chance: the pipeline can't cheat."""

import dataclasses

import numpy as np
import pytest
import torch

from cxrview.dataset.split import split_images
from cxrview.paper.candidate_images import Material
from cxrview.paper.candidates import Candidate
from cxrview.paper.scale import SCALES
from cxrview.paper.train_candidate import train_candidate
from cxrview.records.dataset import Prepared, PreparedImage
from cxrview.terms import View
from cxrview.train.googlenet import GoogLeNet

IMAGES = 160
SCALE = dataclasses.replace(
    SCALES["smoke"],
    variants=SCALES["smoke"].variants[:1],
    epochs=15,
    training=None,
    validation=None,
)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """Noise, bright for frontal and dark for lateral: a network that knows nothing sees that."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 100, (IMAGES, 256, 256)).astype(np.uint8)
    pixels[1::2] += 150
    images = tuple(
        PreparedImage(
            row=k,
            file=f"{k}.png",
            source="drawn",
            study="",
            patient=f"p{k}",
            view=View.FRONTAL if k % 2 else View.LATERAL,
            file_sha256="",
            pixel_sha256=str(k),
        )
        for k in range(IMAGES)
    )
    return Prepared(images=images, pixels=pixels)


def accuracy(prepared: Prepared, pre_trained: GoogLeNet, folder, name: str) -> float:
    split = split_images(prepared.images, seed=1)
    material = Material(prepared=prepared, split=split, scale=SCALE, seed=2)
    return train_candidate(
        Candidate(pre_training="colour", fine_tuning="fc-augmented"),
        pre_trained,
        material,
        folder / name,
        features=folder / "features",
    ).accuracy


@pytest.mark.slow
def test_only_labels_that_say_something_are_learnt(prepared, tmp_path):
    torch.manual_seed(0)
    pre_trained = GoogLeNet(10, auxiliary=False)
    rng = np.random.default_rng(3)

    told = accuracy(prepared, pre_trained, tmp_path, "told")
    by_chance = []
    for number in range(6):
        views = rng.permutation([image.view for image in prepared.images])
        shuffled = tuple(
            dataclasses.replace(image, view=View(str(view)))
            for image, view in zip(prepared.images, views, strict=True)
        )
        by_chance.append(
            accuracy(
                dataclasses.replace(prepared, images=shuffled), pre_trained, tmp_path, str(number)
            )
        )

    assert told > 0.9
    # 6 x 32 images: three standard deviations of a fair coin are 0.11.
    assert abs(np.mean(by_chance) - 0.5) < 0.12
