"""Only training and validation images are varied, and on disk they are what is made lazily."""

from dataclasses import replace

import numpy as np
import pytest

from cxrview.dataset.augment.materialise import materialise_variants
from cxrview.dataset.augment.poses import Edge
from cxrview.dataset.augment.variants import VARIANTS, make_variant
from cxrview.errors import UsageError
from cxrview.records.dataset import Prepared, PreparedImage, Split
from cxrview.terms import Partition, View

PARTITIONS = {
    "test.png": Partition.TEST,
    "training.png": Partition.TRAINING,
    "validation.png": Partition.VALIDATION,
}
SPLIT = Split(partitions=PARTITIONS, by="patient")


@pytest.fixture(scope="module")
def store() -> Prepared:
    files = ["test.png", "training.png", "unnamed.png", "validation.png"]
    images = [
        PreparedImage(
            row=row,
            file=file,
            source="",
            study="",
            patient=f"patient {row}",
            view=View.FRONTAL,
            file_sha256="",
            pixel_sha256=str(row),
        )
        for row, file in enumerate(files)
    ]
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32)).astype(np.uint8)
    return Prepared(images=tuple(images), pixels=pixels)


def test_training_and_validation_images_alone_are_varied(store, tmp_path):
    done = []

    made = materialise_variants(store, SPLIT, tmp_path / "v", seed=0, watch=done.append)

    assert made.files == ("training.png", "validation.png")
    assert made.partitions == (Partition.TRAINING, Partition.VALIDATION)
    assert made.variants == tuple(variant.name for variant in VARIANTS)
    assert made.pixels.shape == (2, 106, 32, 32)
    assert sum(done) == 2


def test_on_disk_they_are_what_is_made_lazily(store, tmp_path):
    made = materialise_variants(store, SPLIT, tmp_path / "v", seed=3, edge=Edge.REPEAT)

    lazily = [
        make_variant(store.pixels[3], variant, seed=3, image_id="validation.png", edge=Edge.REPEAT)
        for variant in VARIANTS
    ]
    assert np.array_equal(made.pixels[1], lazily)


@pytest.mark.parametrize(
    ("seed", "edge", "partitions"),
    [
        (1, Edge.BLACK, PARTITIONS),
        (0, Edge.REPEAT, PARTITIONS),
        (0, Edge.BLACK, PARTITIONS | {"test.png": Partition.TRAINING}),
        (0, Edge.BLACK, PARTITIONS | {"validation.png": Partition.TRAINING}),
    ],
)
def test_under_other_conditions_it_does_not_go_on(store, tmp_path, seed, edge, partitions):
    materialise_variants(store, SPLIT, tmp_path / "v", seed=0)

    with pytest.raises(UsageError, match="other settings"):
        materialise_variants(
            store, Split(partitions=partitions, by="patient"), tmp_path / "v", seed=seed, edge=edge
        )


def test_nothing_to_vary_is_refused(store, tmp_path):
    nothing = Split(partitions={"test.png": Partition.TEST}, by="patient")

    with pytest.raises(UsageError, match="the split has no training"):
        materialise_variants(store, nothing, tmp_path / "v", seed=0)

    assert not (tmp_path / "v").exists()


def test_a_split_that_leaks_is_refused(store, tmp_path):
    same = [replace(image, pixel_sha256="one picture") for image in store.images]

    with pytest.raises(UsageError, match=r"test\.png \(test\) and training\.png \(training\)"):
        materialise_variants(replace(store, images=tuple(same)), SPLIT, tmp_path / "v", seed=0)

    assert not (tmp_path / "v").exists()
