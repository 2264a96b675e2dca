"""`googlenet` of the package, on images that nothing of it was learnt from or chosen by."""

import csv
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cxrview.classify.devices import is_exact_at_int8
from cxrview.classify.engine import classify_files
from cxrview.classify.model import load_model
from cxrview.classify.model_files import read_card
from cxrview.classify.options import NO_REVIEW, ClassifyOptions
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.dataset.labels import read_labels, read_not_chest
from cxrview.dataset.natural.photographs import SOURCE as PHOTOGRAPHS
from cxrview.image import find_images
from cxrview.phantom.archive import draw_archive
from cxrview.terms import Partition

FOLDER = Path(str(files("cxrview.classify"))) / "weights" / "googlenet"


PRECISIONS = ["fp32"]
if read_card(FOLDER).int8 and is_exact_at_int8():  # int8 is then what `classify` takes
    PRECISIONS = ["int8", pytest.param("fp32", marks=pytest.mark.nightly)]


@pytest.fixture(scope="module")
def model():
    """What its page and most of its card are of."""
    return load_model("googlenet", precision="fp32", device="cpu")


@pytest.fixture(scope="module", params=PRECISIONS)
def either(request):
    return load_model("googlenet", precision=request.param, device="cpu")


def everything_decided(model) -> ClassifyOptions:
    return ClassifyOptions(review_band=NO_REVIEW)


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
        "orientations",
        "not_chest",
        "calibration",
        "seeds",
        "intended_use",
        "limits",
        "failures",
    } <= set(model.card.about.as_json())
    assert model.card.review_band[0] < model.card.cutoff < model.card.review_band[1]
    assert model.card.cutoff <= model.card.paper_cutoff


@pytest.mark.slow
def test_it_has_at_most_one_error_on_the_test_partition(either, shared_data):
    labels = [
        label
        for label in read_labels(shared_data / "labels.csv")
        if label.partition is Partition.TEST
    ]
    paths = [str(shared_data / label.file) for label in labels]

    outcomes = classify_files(paths, either, everything_decided(either))

    wrong = [o for o, label in zip(outcomes, labels, strict=True) if o.view is not label.view]
    assert len(labels) == 729
    assert len(wrong) <= 1


@pytest.mark.slow
def test_it_calls_as_few_test_pictures_of_no_chest_a_view_as_its_card_says(model, shared_data):
    others = [
        other
        for other in read_not_chest(shared_data / "labels.csv")
        if other.partition is Partition.TEST
    ]
    paths = [str(shared_data / other.file) for other in others]

    outcomes = list(classify_files(paths, model, everything_decided(model)))

    called = [o for o in outcomes if o.view is not None]
    told = [
        row
        for row in model.card.about.not_chest
        if row.partition == "test" and row.source != PHOTOGRAPHS
    ]
    assert len(others) == sum(row.images for row in told)
    assert len(called) == sum(row.called_a_view for row in told) <= len(others) / 40


@pytest.mark.parametrize("seed", range(6))
def test_what_is_drawn_as_no_chest_gets_no_view(either, seed):
    """Not of the drawer that it learnt from: shapes of Pillow's."""
    rng = np.random.default_rng(seed)
    picture = Image.new("L", (256, 256), int(rng.integers(256)))
    pen = ImageDraw.Draw(picture)
    for _ in range(9):
        box = sorted(rng.integers(0, 256, 2).tolist()) + sorted(rng.integers(0, 256, 2).tolist())
        corners = (box[0], box[2], box[1], box[3])
        shade = int(rng.integers(256))
        pen.rectangle(corners, fill=shade) if rng.random() < 0.5 else pen.ellipse(
            corners, fill=shade
        )

    answers = either.answer(np.asarray(picture)[None])

    assert answers.chest[0] < either.card.chest_cutoff


def test_its_page_is_made_from_its_card(model):
    from cxrview.reports.model_card import render_model_card

    page = (Path(__file__).parents[2] / "docs" / "model" / "MODEL_CARD.md").read_text(
        encoding="utf-8"
    )

    without_pictures = [line for line in page.splitlines() if line and not line.startswith("![")]
    assert without_pictures == [line for line in render_model_card(model.card).splitlines() if line]


def test_its_card_counts_the_errors_that_it_makes(model, shared_data):
    labels = read_labels(shared_data / "labels.csv")
    of = [label for label in labels if label.partition is Partition.TEST]
    counted = {(c.source, c.view): c.counts.images for c in model.card.about.test}

    assert counted == {
        kind: sum((label.source, label.view) == kind for label in of) for kind in counted
    }
    assert sum(counted.values()) == len(of)
    assert sum(c.counts.errors for c in model.card.about.test) <= 1
    by_orientation = {
        row.orientation: row.counts.images for row in model.card.about.orientations["test"]
    }
    assert by_orientation == dict.fromkeys(ORIENTATIONS, len(of))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """Radiographs of twelve drawn patients, with the truth beside the folder."""
    out = tmp_path_factory.mktemp("drawn") / "archive"
    draw_archive(out, patients=12, size=(384, 330), seed=11, damages=[], strangers=False)
    return out


@pytest.mark.slow
def test_every_drawn_radiograph_is_called_right_though_none_was_learnt_from(either, drawn):
    with Path(f"{drawn}.truth.csv").open(newline="") as rows:
        truth = {row["file"]: row["view"] for row in csv.DictReader(rows)}

    outcomes = list(classify_files(find_images([str(drawn)]), either, everything_decided(either)))

    assert len(outcomes) == len(truth)
    for outcome in outcomes:
        file = str(Path(outcome.instance.path).relative_to(drawn))
        assert outcome.view == truth[file], (file, outcome.pfi)


def test_in_int8_no_test_picture_is_decided_otherwise(model):
    """None of those that lie as their patients did; the card tells of the others."""
    if model.card.int8 is None:
        return
    told = model.card.int8.about.against_fp32["test"]["as_they_lie"]

    assert told.pictures == sum(row.counts.images for row in model.card.about.test)
    assert told.changed_decisions == 0
    assert told.errors == (sum(row.counts.errors for row in model.card.about.test),) * 2
