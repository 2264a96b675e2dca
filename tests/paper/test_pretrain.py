"""Pre-training on a handful of drawn pictures: what it begins from, ends at and says of itself."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from cxrview.atomic_files import locked
from cxrview.dataset.natural.ilsvrc import ImageNetClass
from cxrview.dataset.natural.store import Pictures
from cxrview.errors import InvalidModel, UsageError
from cxrview.paper import top_1
from cxrview.paper.candidates import PRE_TRAININGS
from cxrview.paper.colour_weights import convert_colour
from cxrview.paper.pretrain import (
    CHECKPOINT,
    Plan,
    choose_classes,
    initial_model,
    plan_for,
    pre_train,
)
from cxrview.paper.pretrain_run import PictureSource, pre_train_on_pictures
from cxrview.paper.scale import SCALES
from cxrview.paper.trained_model import ABOUT, WEIGHTS, load_trained
from cxrview.train.callbacks import TrainingWatch
from cxrview.train.googlenet import GoogLeNet
from cxrview.train.published import load_published

NATURAL = ("plant", "geologic formation", "natural object", "fungus")
CLASSES = tuple(
    ImageNetClass(
        index=k,
        wnid=f"n{k * 7:08d}",
        category=NATURAL[k % 4] if k < 35 else "artifact" if k < 600 else "other",
    )
    for k in range(1000)
)
SUBSET = CLASSES[20:120]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Enough for two pictures; several would wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """Arrays by Caffe's names, of a network that was never trained."""
    torch.manual_seed(5)
    arrays = {}
    for key, tensor in GoogLeNet(1000, auxiliary=False).state_dict().items():
        name = re.sub(r"^inceptions\.(\w+)\.layers\.(\w+)\.", r"inception_\1/\2.", key)
        name = re.sub(r"^stem\.(\w+)\.", r"\1/", name)
        arrays[re.sub(r"^classifier\.", "loss3/classifier.", name)] = tensor.numpy()
    path = tmp_path_factory.mktemp("published") / "googlenet.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Four for training and two for validation, of three classes; one class is not learnt."""
    return Pictures(
        pixels=np.random.default_rng(0).integers(0, 256, (8, 256, 256), np.uint8),
        wnids=(CLASSES[20].wnid, CLASSES[70].wnid, CLASSES[119].wnid, CLASSES[900].wnid),
        classes=np.array([0, 1, 2, 0, 3, 1, 2, 3], np.int16),
        is_training=np.array([1, 1, 1, 1, 1, 0, 0, 0], bool),
        about={"content_sha256": "drawn", "enlarged": 8},
    )


def brief(name: str, **fields) -> Plan:
    """Two steps: two epochs of two pictures."""
    plan = plan_for(name, SCALES["smoke"], seed=1)
    schedule = dataclasses.replace(plan.schedule, epochs=2, batch=2)
    return dataclasses.replace(plan, schedule=schedule, epoch_pictures=2, **fields)


@pytest.fixture(scope="module")
def subset(published, pictures, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("subset")
    pre_train(brief("grey-subset"), published, pictures, SUBSET, out)
    return out


def test_colour_is_the_published_network(published, tmp_path):
    convert_colour(published, tmp_path)

    expected = GoogLeNet(1000, auxiliary=False)
    load_published(published, expected, with_classifier=True)
    loaded = load_trained(tmp_path).state_dict()
    assert loaded.keys() == expected.state_dict().keys()
    assert all(torch.equal(loaded[k], v) for k, v in expected.state_dict().items())


def test_the_schedule_is_the_paper_s():
    plan = plan_for("grey", SCALES["paper"])

    schedule = plan.schedule
    assert (schedule.epochs, schedule.batch, schedule.momentum) == (30, 24, 0.9)
    assert (schedule.rate, schedule.weight_decay, schedule.is_nesterov) == (0.0005, 0.0005, True)
    assert [schedule.rate_at(e) for e in (9, 10, 20)] == pytest.approx([5e-4, 5e-5, 5e-6])
    assert plan.epoch_pictures is plan.validation_pictures is plan.per_class is None


def test_the_subset_s_classifier_begins_with_the_published_rows_of_its_classes(published):
    network = initial_model(PRE_TRAININGS["grey-subset"], published, SUBSET, seed=0)

    with np.load(published) as arrays:
        rows = arrays["loss3/classifier.weight"][20:120]
    assert np.array_equal(network.classifier.weight.detach().numpy(), rows)
    assert network.auxiliaries["loss1"].classifier.out_features == 100


def test_grey_begins_with_all_that_is_published_and_fresh_auxiliaries(published):
    first = initial_model(PRE_TRAININGS["grey"], published, CLASSES, seed=0)
    other = initial_model(PRE_TRAININGS["grey"], published, CLASSES, seed=1)

    differ = {
        key.split(".")[0]
        for key, tensor in first.state_dict().items()
        if not torch.equal(tensor, other.state_dict()[key])
    }
    assert differ == {"auxiliaries"}
    assert first.classifier.out_features == 1000


def test_every_layer_learns(subset, published):
    before = initial_model(PRE_TRAININGS["grey-subset"], published, SUBSET, seed=1).state_dict()

    after = load_trained(subset).state_dict()

    assert not any(key.startswith("auxiliaries") for key in after)
    assert all(not torch.equal(tensor, before[key]) for key, tensor in after.items())


def test_a_run_says_what_it_was_and_what_it_was_not(subset):
    about = json.loads((subset / ABOUT).read_text())

    assert about["pre_training"] == "grey-subset"
    assert about["classes"] == [c.wnid for c in SUBSET]
    assert about["top_1_before"]["pictures"] == about["top_1_after"]["pictures"] == 2
    assert about["shown"].startswith("4 grey pictures of 3 classes, 2 of them in each of 2 epochs")
    assert about["differs_from_the_paper"] == [
        "4 pictures of 3 classes instead of 128,769 of 100",
        "2 pictures drawn for each epoch instead of all",
        "8 pictures enlarged from fewer than 256 x 256 pixels: soft",
        "epochs 2 instead of 30",
        "batch 2 instead of 24",
        "smoke test: its figures mean nothing",
    ]
    assert not (subset / CHECKPOINT).exists()


@pytest.mark.slow
def test_a_stopped_pre_training_ends_at_the_same_bits(
    subset, published, pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr("cxrview.paper.epochs.CHECKPOINT_EVERY", 1)

    def stop(step: int, _total: int, _loss: float) -> None:
        if step == 2:
            raise KeyboardInterrupt

    plan = brief("grey-subset")
    with pytest.raises(KeyboardInterrupt):
        pre_train(plan, published, pictures, SUBSET, tmp_path, TrainingWatch(step=stop))
    steps: list[tuple[int, int]] = []
    goes_on = TrainingWatch(step=lambda step, total, loss: steps.append((step, total)))
    pre_train(plan, published, pictures, SUBSET, tmp_path, goes_on)

    assert steps == [(2, 2)]
    assert (tmp_path / WEIGHTS).read_bytes() == (subset / WEIGHTS).read_bytes()
    assert (tmp_path / ABOUT).read_bytes() == (subset / ABOUT).read_bytes()


def test_a_finished_pre_training_is_loaded(subset, published, pictures):
    steps: list[int] = []

    network = pre_train(
        brief("grey-subset"),
        published,
        pictures,
        SUBSET,
        subset,
        TrainingWatch(step=lambda step, total, loss: steps.append(step)),
    )

    assert steps == []
    assert network.classifier.out_features == 100


def test_all_classes_are_counted_before_between_and_after(published, pictures, tmp_path):
    reported: list[tuple[int, int, float]] = []
    plan = brief("grey", validation_pictures=2)

    network = pre_train(
        plan,
        published,
        pictures,
        CLASSES,
        tmp_path,
        TrainingWatch(epoch=lambda *epoch: reported.append(epoch)),
    )

    assert [(done, total) for done, total, _ in reported] == [(0, 2), (1, 2), (2, 2)]
    about = json.loads((tmp_path / ABOUT).read_text())
    assert [top_1 for _, _, top_1 in reported] == [n / 2 for n in about["top_1_right_by_epoch"]]
    assert network.classifier.out_features == 1000


@pytest.mark.slow
def test_top_1_that_is_known_is_not_counted_a_second_time(
    published, pictures, tmp_path, monkeypatch
):
    """Stopped in the second of two epochs: what was counted until then is read."""
    counted = []
    count = top_1._count

    def counting(*args, **fields):
        counted.append(count(*args, **fields))
        return counted[-1]

    monkeypatch.setattr(top_1, "_count", counting)

    def stop(step: int, _total: int, _loss: float) -> None:
        if step == 4:
            raise KeyboardInterrupt

    plan = dataclasses.replace(brief("grey-subset"), epoch_pictures=None)
    with pytest.raises(KeyboardInterrupt):
        pre_train(plan, published, pictures, SUBSET, tmp_path, TrainingWatch(step=stop))
    before = len(counted)
    pre_train(plan, published, pictures, SUBSET, tmp_path)

    assert (before, len(counted)) == (2, 3)
    about = json.loads((tmp_path / ABOUT).read_text())
    assert about["top_1_right_by_epoch"] == counted
    assert about["top_1_before"]["right"] == counted[0]
    assert about["top_1_after"]["right"] == counted[-1]
    assert not (tmp_path / "top-1.json").exists()


def test_a_night_s_grey_rates_fall_as_the_paper_s_do():
    """A third of the epochs each: 0.0005, a tenth, a hundredth."""
    plan = plan_for("grey", SCALES["night"])

    schedule = plan.schedule
    rates = [schedule.rate_at(epoch) for epoch in range(schedule.epochs)]
    published = PRE_TRAININGS["grey"].schedule
    thirds = [published.rate_at(epoch) for epoch in (0, 10, 20)]
    each = len(rates) // 3
    assert rates == [rate for rate in thirds for _ in range(each)]
    assert plan.epoch_pictures is plan.validation_pictures is plan.per_class is None


def test_another_pre_training_in_the_folder_is_refused(subset, published, pictures):
    other = dataclasses.replace(brief("grey-subset"), seed=2)

    with pytest.raises(UsageError, match="another training, which differs in seed"):
        pre_train(other, published, pictures, SUBSET, subset)
    with pytest.raises(UsageError, match="another training"):
        convert_colour(published, subset)


def test_a_folder_that_another_process_writes_is_refused(published, tmp_path):
    out, classes, pictures = tmp_path / "out", tmp_path / "classes.csv", tmp_path / "pictures"
    out.mkdir()
    rows = [f"{c.index},{c.wnid},{c.category}" for c in CLASSES]
    classes.write_text("\n".join(["index,wnid,category", *rows]))
    (pictures / "train" / CLASSES[0].wnid).mkdir(parents=True)
    (pictures / "train" / CLASSES[0].wnid / "one.png").touch()
    source = PictureSource(pictures=pictures, classes=classes)

    with locked(out):
        with pytest.raises(UsageError, match="another process"):
            pre_train_on_pictures(brief("grey"), published, source, out)
        with pytest.raises(UsageError, match="another process"):
            convert_colour(published, out)

    assert list(out.iterdir()) == []


def test_no_picture_of_the_classes_is_refused(published, pictures, tmp_path):
    with pytest.raises(UsageError, match="no training pictures"):
        pre_train(brief("grey-subset"), published, pictures, CLASSES[:20], tmp_path)


def test_altered_weights_are_refused(published, tmp_path):
    convert_colour(published, tmp_path)
    weights = bytearray((tmp_path / WEIGHTS).read_bytes())
    weights[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(weights)

    with pytest.raises(InvalidModel, match="damaged"):
        load_trained(tmp_path)


def test_a_folder_without_a_network_is_refused(tmp_path):
    with pytest.raises(InvalidModel, match="no trained model"):
        load_trained(tmp_path)


def test_the_subset_is_learnt_from_the_classes_that_have_pictures():
    available = [c.wnid for c in CLASSES[10:300]]

    learnt = choose_classes(PRE_TRAININGS["grey-subset"], CLASSES, available, seed=0)

    assert len(learnt) == 100
    assert {c.wnid for c in CLASSES[10:35]} <= {c.wnid for c in learnt} <= set(available)
    assert list(learnt) == sorted(learnt, key=lambda c: c.index)


@pytest.mark.parametrize(
    ("available", "words"),
    [
        (
            ["n99999999", CLASSES[0].wnid],
            ": n99999999",
        ),
        ([c.wnid for c in CLASSES[:99]], "the subset has 100 classes"),
    ],
)
def test_classes_that_do_not_fit_are_refused(available, words):
    with pytest.raises(UsageError, match=words):
        choose_classes(PRE_TRAININGS["grey-subset"], CLASSES, available, seed=0)


def test_a_list_that_is_not_whole_is_refused():
    with pytest.raises(UsageError, match="0 to 999"):
        choose_classes(PRE_TRAININGS["grey"], CLASSES[:-1], [], seed=0)


@pytest.mark.parametrize("name", ["colour", "rainbow"])
def test_only_the_grey_ones_have_a_plan(name):
    with pytest.raises(UsageError, match="grey, grey-subset"):
        plan_for(name, SCALES["paper"])
