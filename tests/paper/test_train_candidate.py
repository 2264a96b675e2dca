"""One candidate of each method, on drawn bars, from images to what it says of validation."""

import dataclasses
import hashlib
from collections import Counter

import numpy as np
import pytest
import torch

from cxrview.atomic_files import locked
from cxrview.dataset.augment.variants import VARIANTS, make_variant
from cxrview.dataset.split import split_images
from cxrview.errors import UsageError
from cxrview.paper.candidate_images import Material
from cxrview.paper.candidates import FINE_TUNINGS, Candidate
from cxrview.paper.scale import SCALES, scaled_split
from cxrview.paper.train_candidate import read_candidate, train_candidate
from cxrview.records.dataset import Materialised, Prepared, PreparedImage
from cxrview.terms import Partition, View
from cxrview.train.callbacks import TrainingWatch
from cxrview.train.googlenet import GoogLeNet

TINY = dataclasses.replace(SCALES["smoke"], training=8, validation=4, augmented_images=8)


@pytest.fixture(scope="module")
def material() -> Material:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 256, 256), np.uint8)
    images = tuple(
        PreparedImage(
            row=k,
            file=f"{k}.png",
            source="drawn",
            study="",
            patient=f"p{k // 2}",
            view=View.FRONTAL if k % 2 else View.LATERAL,
            file_sha256="",
            pixel_sha256=hashlib.sha256(pixels[k].tobytes()).hexdigest(),
        )
        for k in range(40)
    )
    prepared = Prepared(images=images, pixels=pixels)
    split = scaled_split(split_images(images, seed=1), TINY, seed=2)
    return Material(prepared=prepared, split=split, scale=TINY, seed=2)


@pytest.fixture(scope="module")
def pre_trained() -> GoogLeNet:
    torch.manual_seed(9)
    return GoogLeNet(1000)


def trained(method: str, material, pre_trained, folder):
    candidate = Candidate(pre_training="colour", fine_tuning=method)
    return train_candidate(candidate, pre_trained, material, folder / method)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "variants", "is_trunk_kept"),
    [("fc-original", 1, True), ("fc-augmented", 2, True), ("all-augmented", 2, False)],
)
def test_a_method_trains_its_layers_and_is_validated_on_its_images(
    material, pre_trained, tmp_path, method, variants, is_trunk_kept
):
    trained(method, material, pre_trained, tmp_path)
    network, validated = read_candidate(tmp_path / method)

    kept = torch.equal(
        network.state_dict()["stem.conv1.7x7_s2.weight"],
        pre_trained.state_dict()["stem.conv1.7x7_s2.weight"],
    )
    validation = set(material.split.files(Partition.VALIDATION))
    assert kept == is_trunk_kept
    assert len(validated.pfi) == variants * len(set(validated.files)) == variants * 4
    assert set(validated.files) <= validation
    assert validated.is_progenitor.sum() == 4
    assert ((validated.pfi >= 0) & (validated.pfi <= 100)).all()


def test_train_candidate_refuses_a_folder_that_another_process_writes(
    material, pre_trained, tmp_path
):
    out = tmp_path / "fc-original"
    out.mkdir()

    with locked(out), pytest.raises(UsageError, match="another process"):
        trained("fc-original", material, pre_trained, tmp_path)

    assert list(out.iterdir()) == []


@pytest.mark.slow
def test_the_same_seed_gives_the_same_candidate(material, pre_trained, tmp_path):
    first = trained("fc-augmented", material, pre_trained, tmp_path)

    again = trained("fc-augmented", material, pre_trained, tmp_path / "again")

    assert np.array_equal(first.pfi, again.pfi)


@pytest.mark.parametrize(
    ("method", "batch", "stopped_at", "goes_on_at", "total"),
    [
        ("fc-augmented", 1, 25, 21, 32),
        pytest.param("all-augmented", 4, 4, 4, 4, marks=pytest.mark.slow),
    ],
)
def test_a_candidate_taken_up_again_ends_at_the_same_bits(
    material, pre_trained, tmp_path, monkeypatch, method, batch, stopped_at, goes_on_at, total
):
    """Stopped in the second of two epochs, which has another rate than the first."""
    monkeypatch.setattr("cxrview.paper.epochs.CHECKPOINT_EVERY", 1)
    monkeypatch.setattr("cxrview.paper.train_head.CHECKPOINT_EVERY", 1)  # every 20 steps there
    two_epochs = dataclasses.replace(material, scale=dataclasses.replace(TINY, epochs=2))
    schedule = dataclasses.replace(
        FINE_TUNINGS[method].schedule, epochs=2, batch=batch, rate_epochs=1
    )
    steps = []

    def train(folder, step):
        return train_candidate(
            Candidate(pre_training="colour", fine_tuning=method),
            pre_trained,
            two_epochs,
            folder,
            features=tmp_path / "features",
            schedule=schedule,
            watch=TrainingWatch(step=step),
        )

    def stop(step, _total, _loss):
        if step == stopped_at:
            raise KeyboardInterrupt

    unstopped = train(tmp_path / "whole", lambda step, total, loss: None)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop)
    resumed = train(tmp_path / "stopped", lambda step, total, loss: steps.append(step))

    assert steps == list(range(goes_on_at, total + 1))
    assert np.array_equal(resumed.pfi, unstopped.pfi)
    weights = [read_candidate(tmp_path / name)[0].state_dict() for name in ("whole", "stopped")]
    for key, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][key]), key


@pytest.mark.slow
def test_a_finished_candidate_is_not_trained_again(material, pre_trained, tmp_path):
    first = trained("all-augmented", material, pre_trained, tmp_path)
    steps = []

    again = train_candidate(
        Candidate(pre_training="colour", fine_tuning="all-augmented"),
        pre_trained,
        material,
        tmp_path / "all-augmented",
        watch=TrainingWatch(step=lambda number, total, loss: steps.append(number)),
    )

    assert steps == []
    assert np.array_equal(first.pfi, again.pfi)
    assert not (tmp_path / "all-augmented" / "checkpoint.safetensors").exists()


@pytest.mark.slow
def test_two_methods_share_what_the_trunk_sees(material, pre_trained, tmp_path):
    seen = []

    for method in ("fc-augmented", "fc-original"):
        train_candidate(
            Candidate(pre_training="colour", fine_tuning=method),
            pre_trained,
            material,
            tmp_path / method,
            features=tmp_path / "features",
        )
        files = (tmp_path / "features").rglob("*.npy")
        seen.append({path.relative_to(tmp_path): path.stat().st_mtime_ns for path in files})

    assert seen[0] == seen[1]
    assert len(seen[0]) == 2 * len(TINY.variants)


def test_features_of_other_images_are_refused(material, pre_trained, tmp_path):
    candidate = Candidate(pre_training="colour", fine_tuning="fc-original")
    train_candidate(
        candidate, pre_trained, material, tmp_path / "one", features=tmp_path / "features"
    )
    other = dataclasses.replace(material, seed=3)

    with pytest.raises(UsageError, match="another training, which differs in seed"):
        train_candidate(
            candidate, pre_trained, other, tmp_path / "two", features=tmp_path / "features"
        )


@pytest.mark.slow
def test_accuracy_is_told_after_every_epoch(material, pre_trained, tmp_path):
    told = []

    train_candidate(
        Candidate(pre_training="colour", fine_tuning="all-augmented"),
        pre_trained,
        material,
        tmp_path / "one",
        watch=TrainingWatch(epoch=lambda *said: told.append(said)),
    )

    assert [(epoch, total) for epoch, total, _ in told] == [(1, 1)]
    assert 0 <= told[0][2] <= 1


@pytest.mark.slow
def test_passes_of_a_scale_show_every_augmented_image_as_often(
    material, pre_trained, tmp_path, monkeypatch
):
    """Eight progenitors of two variants, 16 images, in three epochs: 5, 5 and 6."""
    monkeypatch.setattr("cxrview.paper.train_candidate.VARIANTS", VARIANTS[:2])
    made = Counter()

    def make(pixels, variant, *, seed, image_id):
        made[image_id, variant.name] += 1
        return make_variant(pixels, variant, seed=seed, image_id=image_id)

    monkeypatch.setattr("cxrview.paper.candidate_images.make_variant", make)
    scale = dataclasses.replace(TINY, augmented_images=None, passes=1, epochs=3)

    train_candidate(
        Candidate(pre_training="colour", fine_tuning="all-augmented"),
        pre_trained,
        dataclasses.replace(material, scale=scale),
        tmp_path / "one",
    )

    training = material.split.files(Partition.TRAINING)
    shown = {key: count for key, count in made.items() if key[0] in training}
    assert shown == {(file, v.name): 1 for file in training for v in VARIANTS[:2]}


@pytest.mark.slow
def test_a_validation_taken_up_again_asks_about_the_rest(
    material, pre_trained, tmp_path, monkeypatch
):
    monkeypatch.setattr("cxrview.paper.train_candidate.PART_IMAGES", 3)
    asked = []

    def train(folder, images):
        return train_candidate(
            Candidate(pre_training="colour", fine_tuning="all-augmented"),
            pre_trained,
            material,
            folder,
            watch=TrainingWatch(count=images),
        )

    def stop(more, _total, what):
        if (more, what) == (3, "validation images"):
            raise KeyboardInterrupt

    whole = train(tmp_path / "whole", lambda *told: None)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop)
    (kept,) = (tmp_path / "stopped").rglob("0000000.npy")
    np.save(kept, np.load(kept) + 0.5)  # what is kept is not computed a second time
    resumed = train(tmp_path / "stopped", lambda more, *_: asked.append(more))

    assert asked == [0, 3, 3, 2]
    assert np.allclose(resumed.pfi - whole.pfi, [0.5] * 3 + [0.0] * 5, atol=1e-12)
    assert not (tmp_path / "stopped" / "validated").exists()


def test_a_leaking_split_is_refused_with_both_files(material):
    split = dataclasses.replace(
        material.split,
        partitions={"0.png": Partition.TRAINING, "1.png": Partition.TEST},
    )

    with pytest.raises(UsageError, match=r"0\.png \(training\) and 1\.png \(test\)"):
        dataclasses.replace(material, split=split)


@pytest.fixture(scope="module")
def made(material) -> Materialised:
    """Two variants of each training image, made beforehand."""
    images = material.part(Partition.TRAINING, VARIANTS[:2])
    return Materialised(
        files=tuple(image.file for image in images.images),
        partitions=(Partition.TRAINING,) * len(images.images),
        variants=tuple(variant.name for variant in VARIANTS[:2]),
        pixels=np.stack([images(k) for k in range(len(images))]).reshape(-1, 2, 256, 256),
        about={"seed": 2, "edge": "black"},
    )


def test_variants_made_beforehand_are_the_same(material, made):
    images = material.part(Partition.TRAINING, VARIANTS[:3])
    beforehand = dataclasses.replace(material, materialised=made)

    again = beforehand.part(Partition.TRAINING, VARIANTS[:3])

    assert all(np.array_equal(images(k), again(k)) for k in range(len(images)))
    assert np.shares_memory(again(1), made.pixels)


def test_variants_of_another_seed_or_edge_are_refused(material, made):
    repeated = dataclasses.replace(made, about={"seed": 2, "edge": "repeat"})

    with pytest.raises(UsageError, match="another seed"):
        dataclasses.replace(material, seed=5, materialised=made)
    with pytest.raises(UsageError, match=r"edge repeat.*--edge black"):
        dataclasses.replace(material, materialised=repeated)


def test_variants_of_other_pictures_are_refused_with_the_first_file(material, made):
    pixels = made.pixels.copy()
    pixels[3:, 0, 100, 100] ^= 1
    altered = dataclasses.replace(made, pixels=pixels)

    with pytest.raises(UsageError, match=rf"variants of {made.files[3]} .* another picture"):
        dataclasses.replace(material, materialised=altered)


def test_a_scale_leaves_test_images_alone(material):
    whole = split_images(material.prepared.images, seed=1)

    scaled = scaled_split(whole, TINY, seed=2)

    assert len(scaled.files(Partition.TRAINING)) == 8
    assert len(scaled.files(Partition.VALIDATION)) == 4
    assert scaled.files(Partition.TEST) == whole.files(Partition.TEST)
    assert scaled == scaled_split(whole, TINY, seed=2) != scaled_split(whole, TINY, seed=3)
    assert scaled_split(whole, SCALES["paper"], seed=2) == whole


def test_number_k_is_variant_k_of_its_progenitor(material):
    images = material.part(Partition.TRAINING, VARIANTS)

    image, variant = images.which(106 + 17)

    assert (image, variant) == (images.images[1], VARIANTS[17])
    expected = make_variant(
        material.prepared.pixels[image.row], variant, seed=2, image_id=image.file
    )
    assert np.array_equal(images(106 + 17), expected)
    assert len(images) == 8 * 106


def test_every_scale_says_in_words_what_it_is():
    assert SCALES["paper"].words == "as published"
    assert len(SCALES["paper"].variants) == 106
    assert len(SCALES["night"].variants) == 106
    assert len(SCALES["laptop"].variants) == 8
    for name in ("smoke", "laptop", "night"):
        assert "instead of" in SCALES[name].words or "mean nothing" in SCALES[name].words
