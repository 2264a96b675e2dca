"""The model `fast` in the package: drawn radiographs, and patients that it did not learn from."""

import csv
import subprocess
import sys

import numpy as np
import pytest

from cxrview.assess.pose import PoseImages, add_up, count_poses
from cxrview.classify.devices import is_exact_at_int8
from cxrview.classify.engine import classify_files
from cxrview.classify.model import load_model, model_folder
from cxrview.classify.model_files import read_card
from cxrview.classify.options import ClassifyOptions
from cxrview.dataset.augment.poses import ORIENTATIONS
from cxrview.dataset.labels import read_labels, read_not_chest
from cxrview.errors import UsageError
from cxrview.image import read_radiograph, squash
from cxrview.phantom.archive import draw_archive, truth_table
from cxrview.records.risk_curve import Head
from cxrview.terms import Decision, Partition, View

PRECISIONS = ["fp32", *(["int8"] if is_exact_at_int8() else [])]


@pytest.fixture(scope="module", params=PRECISIONS)
def model(request):
    return load_model("fast", precision=request.param, device="cpu")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> PoseImages:
    """Squashed drawn radiographs, frontal and lateral."""
    folder = tmp_path_factory.mktemp("drawn") / "archive"
    draw_archive(folder, patients=4, size=(256, 210), seed=3)
    with truth_table(folder).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["view"] and not row["damage"]]
    pixels = [squash(read_radiograph(str(folder / row["file"])).pixels) for row in rows]
    views = [View(row["view"]) for row in rows]
    assert set(views) == set(View)
    return PoseImages(
        pixels=np.stack(pixels),
        is_frontal=np.array([view is View.FRONTAL for view in views]),
        sources=np.full(len(rows), "drawn"),
        projections=np.full(len(rows), ""),
    )


def test_the_card_names_the_model_behind_it():
    card = read_card(model_folder("fast"))

    assert card.second == "googlenet"
    assert card.int8 is not None and card.int8.second == "googlenet"
    second = read_card(model_folder("googlenet"))
    assert second.int8 is not None
    assert card.second_model_id == second.model_id
    assert card.int8.second_model_id == second.int8.model_id
    assert (model_folder("fast") / "model.onnx").stat().st_size < 2_500_000


@pytest.mark.parametrize("name", ["fast", "googlenet"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_max_error_is_kept_by_the_counts_in_the_cards(name, precision):
    """No model of the package has the 2,995 independent patients that 0.1 % needs."""
    model = load_model(name, precision=precision, device="cpu")

    def resolved(max_error: float) -> ClassifyOptions:
        options = ClassifyOptions(max_error=max_error, key=b"key")
        return options.resolved(model.card, second=model.second_card)

    low, high = resolved(0.01).review_band
    for card in (model.card, model.second_card or model.card):
        assert low <= card.cutoff <= high
    with pytest.raises(UsageError, match="cannot show"):
        resolved(0.001)


def test_loaded_as_a_folder_it_runs_alone_and_promises_nothing_about_the_view():
    """The curve of the view counts the answers of both models."""
    card = load_model(model_folder("fast"), precision="fp32", device="cpu").card

    assert (card.second, card.second_model_id) == ("", "")
    assert Head.ROTATION in card.risk_curves and Head.VIEW not in card.risk_curves


def test_loading_and_running_it_needs_no_torch():
    code = (
        "import sys, numpy as np; from cxrview import load_model; "
        "load_model('fast').answer(np.zeros((1, 256, 256), np.uint8)); "
        "print('torch' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_it_decides_drawn_radiographs_in_every_orientation(model, drawn):
    """It has never seen a drawn one."""
    for name, turn in ORIENTATIONS.items():
        answers = model.answer(turn(drawn.pixels))
        assert ((answers.pfi >= 50) == drawn.is_frontal).all(), name


def test_it_finds_turn_and_inversion_of_drawn_radiographs(model, drawn):
    counts = {(one.answer, one.source): one for one in add_up(count_poses(model, drawn))}

    assert counts["rotation", "all"].errors <= 0.02 * counts["rotation", "all"].pictures
    assert counts["inverted", "all"].errors == 0


def test_its_answers_do_not_depend_on_what_shares_a_batch(model, drawn):
    together = list(model.answer(drawn.pixels))

    for picture, answer in zip(drawn.pixels, together, strict=True):
        (alone,) = model.answer(picture[None])
        assert alone == answer


@pytest.mark.slow
def test_it_is_never_wrong_where_googlenet_is_right_on_test_patients(model, shared_data):
    labels = [
        label
        for label in read_labels(shared_data / "labels.csv")
        if label.partition is Partition.TEST
    ]
    paths = [str(shared_data / label.file) for label in labels]

    outcomes = list(classify_files(paths, model, ClassifyOptions()))

    decided = [
        (one, label)
        for one, label in zip(outcomes, labels, strict=True)
        if one.decision is Decision.CLASSIFIED
    ]
    assert [label.file for one, label in decided if one.view is not label.view] == []
    assert len(decided) >= 0.995 * len(labels)
    with (shared_data / "labels-corrections.csv").open(newline="") as file:
        chests = {row["file"] for row in csv.DictReader(file)}  # labelled otherwise by the source
    others = [
        str(shared_data / other.file)
        for other in read_not_chest(shared_data / "labels.csv")
        if other.partition is Partition.TEST and other.file not in chests
    ]
    called = [one for one in classify_files(others, model, ClassifyOptions()) if one.view]
    assert len(called) <= len(others) / 100
