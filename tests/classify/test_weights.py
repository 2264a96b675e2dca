"""The model in the package, on images that nothing of it was learnt from or chosen by."""

import csv
from importlib.resources import files
from pathlib import Path

import pytest

from cxrview.classify.abstain import NO_REVIEW
from cxrview.classify.decode_worker import ReadSettings
from cxrview.classify.engine import EngineSettings, classify_files
from cxrview.classify.runtime import load_model
from cxrview.dataset.labels import read_labels
from cxrview.image import find_images
from cxrview.phantom.archive import draw_archive
from cxrview.terms import Partition

FOLDER = Path(str(files("cxrview.classify"))) / "weights"


@pytest.fixture(scope="module")
def model():
    return load_model()


def everything_decided(model) -> EngineSettings:
    read = ReadSettings(side=model.card.input_side)
    return EngineSettings(read=read, review_band=NO_REVIEW)


def test_it_is_small_and_its_card_says_what_a_user_must_know(model):
    assert (FOLDER / "model.onnx").stat().st_size < 30_000_000
    assert {
        "data",
        "data_licences",
        "weights_licence",
        "labels_sha256",
        "partitions",
        "recipe",
        "readers",
        "training",
        "validation",
        "test",
        "intended_use",
        "limits",
    } <= set(model.card.about)
    assert model.card.review_band[0] < model.card.cutoff < model.card.review_band[1]
    assert model.card.cutoff <= model.card.paper_cutoff


@pytest.mark.slow
def test_it_has_at_most_one_error_on_the_test_partition(model, shared_data):
    labels = [
        label
        for label in read_labels(shared_data / "labels.csv")
        if label.partition is Partition.TEST
    ]
    paths = [str(shared_data / label.file) for label in labels]

    outcomes = classify_files(paths, model, everything_decided(model))

    wrong = [o for o, label in zip(outcomes, labels, strict=True) if o.view is not label.view]
    assert len(labels) == 729
    assert len(wrong) <= 1


def test_its_card_counts_the_errors_that_it_makes(model, shared_data):
    labels = read_labels(shared_data / "labels.csv")
    of = [label for label in labels if label.partition is Partition.TEST]
    counted = {(c["source"], c["view"]): c["images"] for c in model.card.about["test"]}

    assert counted == {
        kind: sum((label.source, label.view) == kind for label in of) for kind in counted
    }
    assert sum(counted.values()) == len(of)
    assert sum(c["errors"] for c in model.card.about["test"]) <= 1


def test_every_drawn_radiograph_is_called_right_though_none_was_learnt_from(model, tmp_path):
    out = tmp_path / "archive"
    draw_archive(out, patients=12, size=(384, 330), seed=11, damages=[], strangers=False)
    with Path(f"{out}.truth.csv").open(newline="") as rows:
        truth = {row["file"]: row["view"] for row in csv.DictReader(rows)}

    outcomes = list(classify_files(find_images([str(out)]), model, everything_decided(model)))

    assert len(outcomes) == len(truth)
    for outcome in outcomes:
        file = str(Path(outcome.instance.path).relative_to(out))
        assert outcome.view == truth[file], (file, outcome.pfi)
