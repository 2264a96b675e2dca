"""From a labels file to a model with its page, by the commands: on noise, so it says little."""

import csv
import dataclasses
import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from cxrview.assess.score_files import read_scores
from cxrview.atomic_files import PART, locked
from cxrview.classify.model import load_model
from cxrview.cli.main import app
from cxrview.dataset.split import partition_of
from cxrview.errors import CannotWrite, UsageError
from cxrview.terms import Partition
from cxrview.train import recipes
from cxrview.train.published import write_random_weights
from fixtures.posed_model import write_posed_model

BRIEF = dataclasses.replace(
    recipes.WORLD, name="brief", steps=2, batch=4, not_chest=0.2, photographs=0.1, drawn=0.2
)
ABOUT = {
    "intended_use": "None.",
    "limits": ["Noise."],
    "failures": ["All."],
    "data": "Noise.",
    "data_licences": {},
    "weights_licence": "none",
    "readers": {"checked_with": "nothing", "not_checked_with": "anything"},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Labels of two sources with both views in each partition, and random weights.

    Two images of each in the test partition and one elsewhere: each is predicted 16 times by each
    model, which takes most of the time.
    """
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    rows, wanted = ["file,source,patient,view"], {}
    for source in ("here", "there", "others"):
        views = ["not-chest"] if source == "others" else ["frontal", "lateral"]
        for part in Partition:
            wanted |= {(source, v, part): 1 + (part is Partition.TEST) for v in views}
    for number in range(10_000):
        patient = f"p{number}"
        part = partition_of(patient)
        kind = next((k for k, n in wanted.items() if n and k[2] is part), None)
        if kind is None:
            continue
        wanted[kind] -= 1
        Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{kind[0]},{patient},{kind[1]}")
    (folder / "photographs").mkdir()
    for number in range(30):
        shown = rng.integers(0, 256, (64, 64), np.uint8)
        Image.fromarray(shown).save(folder / "photographs" / f"{number}.png")
    assert not any(wanted.values())
    (folder / "labels.csv").write_text("\n".join(rows))
    (folder / "about.json").write_text(json.dumps(ABOUT))
    write_random_weights(folder / "random.npz", seed=0)
    return folder


@pytest.fixture
def cxrview(place, monkeypatch):
    """Run a command on the labels, with a brief recipe."""
    monkeypatch.setitem(recipes.RECIPES, "brief", BRIEF)

    def run(command, *options):
        return CliRunner().invoke(
            app,
            [
                *(*command.split(), str(place / "labels.csv"), "--recipe", "brief"),
                *("--published", str(place / "random.npz")),
                *("--photographs", str(place / "photographs")),
                *map(str, options),
            ],
        )

    return run


@pytest.mark.slow
def test_a_recipe_is_assessed_where_it_was_not_trained_and_a_model_made_and_described(
    place, cxrview, tmp_path
):
    left_out, model = tmp_path / "left out", tmp_path / "model"

    assessed = cxrview("assess recipe", "--out", left_out, "--alone", "here")
    options = ("--left-out", left_out, "--about", place / "about.json", "--seeds", 2)
    made = cxrview("train", "--out", model, *options)

    assert assessed.exit_code == 0, assessed.output
    with (left_out / "leave-source-out.csv").open(newline="") as rows:
        table = list(csv.DictReader(rows))
    models = {"without-here": "here", "without-there": "there", "here-alone": "there"}
    assert [(row["model"], row["left_out"], row["view"], row["images"]) for row in table] == [
        (*of, view, "4") for of in models.items() for view in ("frontal", "lateral")
    ]
    for model_name, source in models.items():
        (scores,) = read_scores(left_out / model_name / "scores.parquet")
        assert set(scores.facts["source"]) == {source}
        assert len(scores) == 8 * 16
        (validation,) = read_scores(left_out / model_name / "validation.parquet")
        assert source not in set(validation.facts["source"])

    assert made.exit_code == 0, made.output
    card = load_model(model).card
    assert card.chest_cutoff is not None
    assert card.about.seeds.chosen in (0, 1)
    assert len(card.about.leave_source_out) == 6
    page = (model / "MODEL_CARD.md").read_text()
    assert card.model_id in page
    assert "mirrored, turned 90°, inverted" in page
    for name in (
        "seen",
        "seen-drawn",
        "calibration-test-patients",
        "calibration-sources-left-out",
    ):
        assert (model / f"{name}.png").exists()
    (test,) = read_scores(model / "test.parquet")
    assert {partition_of(patient) for patient in test.patients} == {Partition.TEST}

    again = cxrview("train", "--out", model, *options)
    assert again.exit_code == 0
    assert load_model(model).card == card


@pytest.mark.slow
def test_what_the_card_counts_is_what_classify_says(place, cxrview, tmp_path):
    from cxrview.classify.engine import classify_files
    from cxrview.dataset.labels import read_labels

    made = cxrview("train", "--out", tmp_path, "--about", place / "about.json")
    assert made.exit_code == 0, made.output

    model = load_model(tmp_path)
    of = [label for label in read_labels(place / "labels.csv") if label.partition is Partition.TEST]
    outcomes = list(classify_files([str(place / label.file) for label in of], model))
    counted = model.card.about.test
    assert sum(row.counts.images for row in counted) == len(of)
    assert sum(row.counts.refused for row in counted) == sum(
        outcome.decision == "not_chest" for outcome in outcomes
    )
    (scores,) = read_scores(tmp_path / "test.parquet")
    upright = dict(zip(scores.files, scores.pfi, strict=True))  # the last, of an orientation
    upright |= dict(zip(scores.files[: len(of)], scores.pfi[: len(of)], strict=True))
    for label, outcome in zip(of, outcomes, strict=True):
        assert outcome.pfi == pytest.approx(upright[label.file], abs=0.001)


def test_inputs_that_do_not_fit_are_refused_before_anything_is_written(cxrview, tmp_path):
    for command, options in (
        ("train", ("--left-out", tmp_path)),
        ("train", ("--about", tmp_path / "missing.json")),
        ("train", ("--published", tmp_path / "missing.npz")),
        ("assess recipe", ("--published", tmp_path / "missing.npz")),
        ("assess recipe", ("--alone", "nowhere")),
        ("assess recipe", ("--photographs", tmp_path / "missing.tar")),
    ):
        done = cxrview(command, "--out", tmp_path / "out", *options)
        assert isinstance(done.exception, UsageError), (command, options, done.output)
        assert not (tmp_path / "out").exists()


def test_what_a_recipe_needs_is_asked_for_before_hours_of_training(place, monkeypatch, tmp_path):
    monkeypatch.setitem(recipes.RECIPES, "brief", BRIEF)
    rows = (place / "labels.csv").read_text().splitlines()
    none = [row for row in rows if not row.endswith("not-chest")]
    lateral = [row for row in rows if not (",there," in row and row.endswith("lateral"))]
    for kept, said in (
        (none, "no row says not-chest"),
        (lateral, "without-here, training"),
        (rows, "needs photographs"),
    ):
        labels = place / "fewer.csv"
        labels.write_text("\n".join(kept))
        done = CliRunner().invoke(
            app,
            [
                *("assess", "recipe", str(labels), "--recipe", "brief"),
                *("--published", str(place / "random.npz"), "--out", str(tmp_path / "out")),
            ],
        )
        assert isinstance(done.exception, UsageError), done.output
        assert said in str(done.exception)
        assert not (tmp_path / "out").exists()


def test_a_folder_that_was_not_finished_is_no_help_to_a_model(cxrview, tmp_path):
    (tmp_path / "left-out").mkdir()
    (tmp_path / "left-out" / "about.json").write_text("[]")

    done = cxrview("train", "--out", tmp_path / "out", "--left-out", tmp_path / "left-out")

    assert isinstance(done.exception, UsageError)
    assert f"{tmp_path / 'left-out'}" in str(done.exception)


@pytest.mark.parametrize("command", ["train", "assess recipe"])
def test_a_folder_that_another_process_writes_is_refused(cxrview, tmp_path, command):
    with locked(tmp_path):
        done = cxrview(command, "--out", tmp_path)

    assert isinstance(done.exception, UsageError), done.output
    assert "another process" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_disk_that_is_full_at_a_checkpoint_stops_the_training(cxrview, tmp_path):
    (tmp_path / "seed-0").mkdir()
    (tmp_path / "seed-0" / f"checkpoint.safetensors{PART}").symlink_to("/dev/full")

    done = cxrview("train", "--out", tmp_path)

    assert isinstance(done.exception, CannotWrite), done.output
    assert "seed-0" in str(done.exception)


def test_a_model_of_other_labels_is_not_replaced(cxrview, tmp_path):
    out = write_posed_model(tmp_path / "out")
    before = (out / "card.json").read_bytes()

    done = cxrview("train", "--out", out, "--seed", "7")

    assert isinstance(done.exception, UsageError), done.output
    assert "was trained on other labels" in str(done.exception)
    assert (out / "card.json").read_bytes() == before
    assert not (out / "seed-7").exists()


def test_a_training_needs_test_patients_before_it_begins(place, tmp_path, monkeypatch):
    monkeypatch.setitem(recipes.RECIPES, "brief", BRIEF)
    rows = (place / "labels.csv").read_text().splitlines()
    kept = [row for row in rows[1:] if partition_of(row.split(",")[2]) is not Partition.TEST]
    labels = place / "without-test.csv"
    labels.write_text("\n".join([rows[0], *kept]))

    done = CliRunner().invoke(
        app,
        [
            *("train", str(labels), "--recipe", "brief", "--out", str(tmp_path / "model")),
            *("--published", str(place / "random.npz")),
            *("--photographs", str(place / "photographs")),
        ],
    )

    assert isinstance(done.exception, UsageError), done.output
    assert "test patients" in str(done.exception)
    assert not (tmp_path / "model").exists()
