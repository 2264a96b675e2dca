"""Which images of a store a robustness table is made of."""

import numpy as np
import pytest
from PIL import Image

from cxrview.assess.modify import MODIFICATIONS
from cxrview.assess.robustness_store import images_of_partition
from cxrview.dataset.prepare import prepare_images
from cxrview.dataset.split import partition_of
from cxrview.dataset.store import open_prepared
from cxrview.errors import UsageError
from cxrview.records.dataset import Split
from cxrview.terms import Partition

IMAGES = 12


@pytest.fixture
def store(tmp_path):
    rows = ["file,patient,view"]
    for n in range(IMAGES):
        Image.fromarray(np.random.default_rng(n).integers(0, 256, (16, 16), np.uint8)).save(
            tmp_path / f"{n}.png"
        )
        rows.append(f"{n}.png,p{n},frontal")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    prepare_images(tmp_path / "labels.csv", tmp_path / "store", workers=1)
    return open_prepared(tmp_path / "store")


def test_images_of_partition_follow_the_published_rule(store):
    found = images_of_partition(store, None, Partition.TRAINING)

    training = {f"{n}.png" for n in range(IMAGES) if partition_of(f"p{n}") == "training"}
    assert {image.file for image in found.images} == training
    assert found.drawn_from == len(training)
    assert found.pictures == len(training) * len(MODIFICATIONS)


def test_images_of_partition_are_drawn_by_seed(store):
    first, again, other = (
        images_of_partition(store, None, Partition.TRAINING, sample=3, seed=seed).images
        for seed in (1, 1, 2)
    )

    assert len(first) == 3
    assert first == again != other


def test_images_of_partition_refuse_one_without_images(store):
    split = Split(partitions={"0.png": Partition.TRAINING}, by="patient")

    with pytest.raises(UsageError, match="validation"):
        images_of_partition(store, split, Partition.VALIDATION)
