"""`cxrview quantise` from labels to a model of two precisions: on noise, so it says little."""

import dataclasses
import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner

from cxrview.assess.decisions import decisions_of
from cxrview.classify.devices import is_exact_at_int8
from cxrview.classify.model import load_model
from cxrview.classify.model_files import read_model
from cxrview.cli.main import app
from cxrview.dataset.split import partition_of
from cxrview.errors import InvalidModel, UsageError
from cxrview.records.answers import Answers
from cxrview.results.journal import Journal
from cxrview.terms import Partition
from cxrview.train.pool import read_pool

pytestmark = [
    pytest.mark.slow,
    pytest.mark.vnni,
    pytest.mark.skipif(
        not is_exact_at_int8(), reason="needs a processor with VNNI, as the command does"
    ),
]
SHIPPED = Path(str(files("cxrview.classify") / "weights" / "googlenet"))


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """One picture of each view in each partition, and one of no chest."""
    folder = tmp_path_factory.mktemp("labelled")
    rng = np.random.default_rng(0)
    rows = ["file,source,patient,view"]
    wanted = {(part, view) for part in Partition for view in ("frontal", "lateral", "not-chest")}
    for number in range(200):
        part = partition_of(f"p{number}")
        kind = next((kind for kind in sorted(wanted) if kind[0] is part), None)
        if kind is None:
            continue
        wanted.remove(kind)
        Image.fromarray(rng.integers(0, 256, (64, 64), np.uint8)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,here,p{number},{kind[1]}")
    assert not wanted
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder / "labels.csv"


@pytest.fixture(scope="module")
def made(labels, tmp_path_factory):
    """A folder that the command left."""
    out = tmp_path_factory.mktemp("model") / "both"
    done = CliRunner().invoke(app, ["quantise", str(SHIPPED), str(labels), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "other decisions" in done.output
    return out


def test_fp32_stays_as_it_is_and_int8_has_a_card_of_its_own(made):
    card, weights = read_model(made)
    shipped, shipped_weights = read_model(SHIPPED)

    assert weights == shipped_weights
    assert dataclasses.replace(card, int8=None) == dataclasses.replace(shipped, int8=None)
    assert card.int8.model_id.startswith("world-int8-")
    assert card.int8.weights_sha256 != card.weights_sha256
    assert (
        card.risk_curves and not card.int8.risk_curves
    )  # new weights, of which nothing is counted
    assert card.int8.about.quantised_from == card.model_id
    assert card.int8.review_band[0] <= card.int8.cutoff <= card.int8.review_band[1]


def test_the_loss_in_the_card_is_what_the_two_networks_say(made, labels):
    old, new = (load_model(made, precision=one, threads=1) for one in ("fp32", "int8"))
    test = read_pool(labels, with_others=True).partition(Partition.TEST)
    upright = old.answer(test.radiographs.pixels), new.answer(test.radiographs.pixels)
    others = old.answer(test.not_chest), new.answer(test.not_chest)

    for kind, (said, new_said) in {"as_they_lie": upright, "no_chest": others}.items():
        told = new.card.about.against_fp32["test"][kind]
        apart = abs(said.pfi - new_said.pfi)
        changed = decisions_of(said, old.card) != decisions_of(new_said, new.card)
        assert told.pictures == len(apart)
        assert told.pfi_apart_points.largest == pytest.approx(apart.max(), abs=1e-4)
        assert told.changed_decisions == changed.sum()


def test_a_second_time_gives_the_same(made, labels, tmp_path):
    shutil.copytree(made, tmp_path / "again")

    done = CliRunner().invoke(app, ["quantise", str(tmp_path / "again"), str(labels)])

    assert done.exit_code == 0, done.output
    for name in ("card.json", "model-int8.onnx", "model.onnx"):
        assert (tmp_path / "again" / name).read_bytes() == (made / name).read_bytes()


def test_rows_and_journal_tell_the_precision_and_a_resume_under_another_is_refused(made, tmp_path):
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "one.png")
    out = tmp_path / "views.parquet"

    def classify(*options):
        given = ["classify", str(tmp_path / "one.png"), "--out", str(out), "--identify"]
        return CliRunner().invoke(app, [*given, "--model", str(made), *options])

    done = classify("--precision", "int8", "--device", "cpu")
    assert done.exit_code == 0, done.output
    card = load_model(made, precision="int8").card
    assert pq.read_table(out)["model_id"].to_pylist() == [card.model_id]
    conditions = json.loads(out.with_name("views.summary.json").read_text())["conditions"]
    assert conditions["precision"] == card.precision
    assert conditions["backend"] == "onnxruntime-cpu"
    assert conditions["review_band"] == "{:g} {:g}".format(*card.review_band)

    stopped = out.with_name("stopped.parquet")
    Journal(Path(f"{stopped}.journal"), conditions).close()  # as a run leaves it that is killed
    options = ("--precision", "fp32", "--device", "cpu", "--resume", "--out", str(stopped))
    refused = classify(*options)
    assert isinstance(refused.exception, UsageError)
    assert "the model (--model)" in str(refused.exception)


def test_what_cannot_be_quantised_is_refused(made, labels, tmp_path):
    run = CliRunner().invoke
    shutil.copytree(made, tmp_path / "other")
    fields = json.loads((tmp_path / "other" / "card.json").read_text())
    fields["about"].pop("recipe")
    (tmp_path / "other" / "card.json").write_text(json.dumps(fields))
    few = labels.with_name("few.csv")
    few.write_text("\n".join(labels.read_text().splitlines()[:3]))

    for given, error, words in (
        ((tmp_path, labels), InvalidModel, "does not hold a model"),
        ((tmp_path / "other", labels), UsageError, "was not made by"),
        ((made, few), UsageError, "no radiograph of"),
        ((made, labels, "--left-out", tmp_path), UsageError, "cxrview assess recipe"),
    ):
        done = run(app, ["quantise", *map(str, given)])
        assert isinstance(done.exception, error), done.output
        assert words in str(done.exception)


def test_decisions_are_those_of_the_card(made):
    card = dataclasses.replace(
        read_model(made)[0], cutoff=50.0, review_band=(40.0, 60.0), chest_cutoff=10.0
    )
    answers = Answers(
        pfi=np.array([0, 39.9, 40, 60, 60.1, 50]), chest=np.array([90, 10, 90, 90, 90, 9.9])
    )

    assert decisions_of(answers, card).tolist() == [
        *("lateral", "lateral", "review", "review", "frontal", "not_chest")
    ]
